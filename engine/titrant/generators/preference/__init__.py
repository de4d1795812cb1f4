"""Preferential Bayesian optimization: a Gaussian process of a utility that is only ever compared, in numpy.

Sources: W. Chu and Z. Ghahramani, "Preference Learning with Gaussian Processes", ICML (2005); Z. J. Lin et al.,
"Preference Exploration for Efficient Bayesian Optimization with Multiple Outcomes", AISTATS (2022);
R. Astudillo et al., "qEUBO: A Decision-Theoretic Acquisition Function for Preferential Bayesian Optimization",
AISTATS (2023).
"""

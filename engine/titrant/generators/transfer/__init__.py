"""Bayesian optimization that also learns from related problems: past experiments, and other tasks of this one.

What is known of a related problem is a Gaussian process of its own, and the present problem is a multiple of it plus a
process of what is different.  The multiple is learned; it is zero where nothing is to be learned from the past.
"""

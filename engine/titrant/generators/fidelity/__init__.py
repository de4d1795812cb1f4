"""Multi-fidelity Bayesian optimization: conditions and fidelity are chosen together, by what they tell per cost."""

"""What proposes trials: quasi-random designs and Bayesian optimization, asked with plain values."""

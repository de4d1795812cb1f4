"""Tidy tables of an experiment, computed from its state alone."""

"""Optimizers of others as generators of titrant, each loaded only where it is asked for."""

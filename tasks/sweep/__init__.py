"""Hyperparameter sweeps: the grid of points and the comparison of their results."""

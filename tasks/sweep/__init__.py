"""Hyperparameter sweeps: the grid of runs and their comparison."""

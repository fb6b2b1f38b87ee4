"""Faults tried for real: each scenario breaks something that runs, and checks what a user is left with."""

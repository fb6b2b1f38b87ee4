"""Promotion of a challenger to champion: gates, comparison on common pairs, decision."""

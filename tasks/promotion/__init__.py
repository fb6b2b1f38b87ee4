"""Whether a challenger replaces the champion: gates, comparison on the same pairs, decision."""

"""Who is it: galleries of known people, the rejection of strangers, and clusters of unlabelled faces."""

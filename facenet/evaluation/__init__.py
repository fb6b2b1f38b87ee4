"""Face verification: pairs of photos, distances between embeddings, and the LFW protocol over folds."""

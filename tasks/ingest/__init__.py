"""Stage ingest: the photos of all sources, checked and decoded once, and the pairs to evaluate on."""

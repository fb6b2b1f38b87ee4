"""Stage ingest: photos of all sources, checked and decoded once, with the pairs to evaluate on."""

"""What `facenet doctor` checks: one module per area, each a function that yields findings."""

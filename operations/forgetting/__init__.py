"""What the servers and backups have of a person."""

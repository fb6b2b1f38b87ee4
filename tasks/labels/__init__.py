"""What people decide about photos and identities, in files of the project that are committed."""

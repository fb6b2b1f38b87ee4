"""The pages of `facenet serve`: plain forms that work without scripts, and htmx to keep the page in place."""

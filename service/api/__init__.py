"""The HTTP API of `facenet serve`: what a request may cost, who may send it, and what it answers."""

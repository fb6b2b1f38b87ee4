"""What `facenet forget` puts together from all layers."""

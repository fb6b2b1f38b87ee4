"""Answer requests about faces: the gallery of enrolled people, the HTTP API and its pages."""

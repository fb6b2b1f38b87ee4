"""Whether faces and decisions in production still look like those that a model was evaluated on."""

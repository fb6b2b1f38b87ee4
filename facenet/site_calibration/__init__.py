"""A threshold and a probability curve for the people of one site, measured on a folder of their photos."""

"""Identification: galleries of enrolled people, rejection of unknown people, clustering of faces."""

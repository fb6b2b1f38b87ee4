"""Embedding networks: photos in, prelogits out; by name, with embeddings and weights."""

from facenet.networks.embedding import EmbeddingNetwork, embed, normalise, standardise
from facenet.networks.registry import NETWORKS, build
from facenet.networks.state import HEADS, load_state

__all__ = [
    "HEADS",
    "NETWORKS",
    "EmbeddingNetwork",
    "build",
    "embed",
    "load_state",
    "normalise",
    "standardise",
]

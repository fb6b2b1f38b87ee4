"""Embedding networks: standardised faces in, prelogits out; a registry, embeddings and weight files."""

from facenet.networks.embedding import EmbeddingNetwork, embed, normalise, standardise_fixed
from facenet.networks.registry import NETWORKS, build, find
from facenet.networks.state import HEADS, load_state
from facenet.networks.summary import Layer, summarise

__all__ = [
    "HEADS",
    "NETWORKS",
    "EmbeddingNetwork",
    "Layer",
    "build",
    "embed",
    "find",
    "load_state",
    "normalise",
    "standardise_fixed",
    "summarise",
]

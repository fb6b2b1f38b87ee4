"""Networks by name."""

from collections.abc import Callable

from facenet.errors import ParamsInvalid
from facenet.networks.embedding import EmbeddingNetwork
from facenet.networks.inception_resnet_v1 import InceptionResnetV1
from facenet.networks.nn4_small2 import NN4Small2


def _inception_resnet_v1(embedding_size: int, dropout: float) -> EmbeddingNetwork:
    return InceptionResnetV1(embedding_size, dropout=dropout)


def _nn4_small2(embedding_size: int, dropout: float) -> EmbeddingNetwork:
    return NN4Small2(embedding_size, dropout=dropout)


def _nn4_small2_dl4j(embedding_size: int, dropout: float) -> EmbeddingNetwork:
    return NN4Small2(embedding_size, dropout=dropout, variant="dl4j")


NETWORKS: dict[str, Callable[[int, float], EmbeddingNetwork]] = {
    "inception_resnet_v1": _inception_resnet_v1,
    "nn4_small2": _nn4_small2,
    "nn4_small2_dl4j": _nn4_small2_dl4j,
}


def build(name: str, *, embedding_size: int, dropout: float = 0.0) -> EmbeddingNetwork:
    """Return the network called `name` with random weights, drawn from PyTorch's global generator.

    Args:
        name: a key of NETWORKS.
        embedding_size: width of the output.
        dropout: share of features dropped before the embedding layer in training.

    Raises:
        ParamsInvalid: there is no network of that name; the message lists all names.
    """
    if name not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise ParamsInvalid(f"There is no network {name!r}. Set train.network to one of: {known}.")
    return NETWORKS[name](embedding_size, dropout)

"""The registry of networks: a new network needs one entry here."""

from facenet.errors import ParamsInvalid
from facenet.networks.densenet121 import DenseNet121
from facenet.networks.dlib_resnet import DlibResNet
from facenet.networks.embedding import EmbeddingNetwork
from facenet.networks.inception_resnet_v1 import InceptionResnetV1
from facenet.networks.nn1 import NN1
from facenet.networks.nn4_small2 import NN4Small2

NETWORKS: dict[str, type[EmbeddingNetwork]] = {
    "inception_resnet_v1": InceptionResnetV1,
    "nn1": NN1,
    "nn4_small2": NN4Small2,
    "densenet121": DenseNet121,
    "dlib_resnet": DlibResNet,
}


def find(name: str) -> type[EmbeddingNetwork]:
    """Return the class of a network, with its variants and sizes.

    Raises:
        ParamsInvalid: unknown network; the message lists all names.
    """
    if name not in NETWORKS:
        raise ParamsInvalid(
            f"There is no network {name!r}. Set train.network to one of: {', '.join(NETWORKS)}."
        )
    return NETWORKS[name]


def build(
    name: str, *, embedding_size: int | None = None, dropout: float = 0.0, variant: str | None = None
) -> EmbeddingNetwork:
    """Return the network called `name` with random weights, drawn from PyTorch's global generator.

    Args:
        name: a key of NETWORKS.
        embedding_size: width of the output; the published one by default.
        dropout: fraction of features dropped before the embedding layer in training.
        variant: one of the network's `variants`; the first by default.

    Raises:
        ParamsInvalid: unknown network or variant; the message lists all names.
    """
    return find(name)(embedding_size, dropout=dropout, variant=variant)

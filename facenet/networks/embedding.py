"""The base class of the embedding networks, and the steps from photos to embeddings."""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from facenet.errors import ParamsInvalid

NORM_EPS = 1e-10  # lower bound of the squared length in the division, as in TensorFlow's l2_normalize


class EmbeddingNetwork(nn.Module):
    """Base class: standardised float (N, 3, H, W) to prelogits (N, embedding_size), not normalised.

    Subclasses create their layers in the order in which images pass them, because freezing relies on it.
    The last two are dropout, with probability `dropout_share`, and `last_linear`.

    Attributes:
        variants: names of the variants, each with a short description; the first is the default.
        raw_variants: variants whose embeddings are the raw prelogits, of any length.
        published_image_size: height and width in pixels of the published network's input.
        published_embedding_size: width of the published network's output.
        min_image_size: minimum height and width in pixels.
        embedding_size: width of the output.
        variant: the variant of this instance.
        normalised: whether embeddings are the prelogits scaled to unit length.
        dropout_share: dropout probability.

    Raises:
        ParamsInvalid: unknown variant.
    """

    variants: ClassVar[dict[str, str]]
    raw_variants: ClassVar[tuple[str, ...]] = ()
    published_image_size: ClassVar[int]
    published_embedding_size: ClassVar[int]
    min_image_size: ClassVar[int]

    def __init__(
        self, embedding_size: int | None = None, *, dropout: float = 0.0, variant: str | None = None
    ) -> None:
        super().__init__()
        if variant is not None and variant not in self.variants:
            raise ParamsInvalid(
                f"{type(self).__name__} has no variant {variant!r}. "
                f"Set train.variant to one of: {', '.join(self.variants)}."
            )
        self.embedding_size = embedding_size or self.published_embedding_size
        self.variant = variant or next(iter(self.variants))
        self.normalised = self.variant not in self.raw_variants
        self.dropout_share = dropout

    def check_size(self, images: Tensor) -> None:
        """Raise ParamsInvalid if `images` (N, 3, H, W) are below the network's minimum size."""
        height, width = images.shape[-2:]
        if min(height, width) < self.min_image_size:
            raise ParamsInvalid(
                f"{type(self).__name__} needs images of at least {self.min_image_size} px, "
                f"got {width}x{height}. "
                f"Set train.image_size (and align.image_size) to {self.min_image_size} or more."
            )


def standardise_fixed(images: np.ndarray | Tensor) -> Tensor:
    """Return (x - 127.5) / 128 of RGB photos.

    Args:
        images: uint8 (N, H, W, 3), 0 to 255.

    Returns:
        float32 (N, 3, H, W), about -1 to 1, in channels_last memory order, on the device of `images`.
    """
    if isinstance(images, Tensor):
        values = images.to(torch.float32)
    else:
        values = torch.from_numpy(images.astype(np.float32))  # a copy: memory-mapped rows are read-only
    return values.permute(0, 3, 1, 2).sub(127.5).mul(1 / 128)


def normalise(prelogits: Tensor) -> Tensor:
    """Return rows of unit length, float32 (N, E); a zero row stays zero, with a finite gradient."""
    values = prelogits.float()
    squares = values.square().sum(dim=1, keepdim=True)
    return values * squares.clamp_min(NORM_EPS).rsqrt()


def embed(network: nn.Module, images: Tensor) -> Tensor:
    """Return the embeddings of standardised images, float (N, 3, H, W), as float32 (N, E).

    They have unit length unless the network's variant returns raw prelogits. The caller sets the network's
    mode (train or eval), autograd and autocast.
    """
    prelogits: Tensor = network(images)
    return normalise(prelogits) if getattr(network, "normalised", True) else prelogits.float()

"""What every embedding network has in common, and how photos become embeddings."""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from facenet.errors import ParamsInvalid

NORM_EPS = 1e-10  # least squared length that is divided by, as in TensorFlow's l2_normalize


class EmbeddingNetwork(nn.Module):
    """Base of the networks: standardised float (N, 3, H, W) to prelogits (N, embedding_size), not normalised.

    Attributes:
        variants: the forms in which the network can be built; the first is the default.
        raw_variants: those of them whose embeddings are the prelogits as they are, of any length.
        published_image_size: height and width in pixels that it was published for.
        published_embedding_size: and the width of its output there.
        min_image_size: least height and width in pixels.
        embedding_size: width of the output.
        variant: the form of this one.
        normalised: whether its embeddings are prelogits brought to unit length.
        dropout_share: for the network's dropout, which it makes as the layer before its last: layers are
            made in the order in which images pass them, which freezing builds on.

    Raises:
        ParamsInvalid: there is no such variant.
    """

    variants: ClassVar[tuple[str, ...]]
    raw_variants: ClassVar[tuple[str, ...]] = ()
    published_image_size: ClassVar[int]
    published_embedding_size: ClassVar[int]
    min_image_size: ClassVar[int]

    def __init__(
        self, embedding_size: int | None = None, *, dropout: float = 0.0, variant: str | None = None
    ) -> None:
        super().__init__()
        if variant is not None and variant not in self.variants:
            known = ", ".join(self.variants)
            raise ParamsInvalid(
                f"{type(self).__name__} has no variant {variant!r}. Set train.variant to one of: {known}."
            )
        self.embedding_size = embedding_size or self.published_embedding_size
        self.variant = variant or self.variants[0]
        self.normalised = self.variant not in self.raw_variants
        self.dropout_share = dropout

    def check_size(self, images: Tensor) -> None:
        """Raise ParamsInvalid when `images` (N, 3, H, W) are smaller than the network can see."""
        height, width = images.shape[-2:]
        if min(height, width) < self.min_image_size:
            raise ParamsInvalid(
                f"{type(self).__name__} needs images of at least {self.min_image_size} px, "
                f"these are {width}x{height}. "
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
        values = torch.from_numpy(images.astype(np.float32))  # a copy: memory-mapped rows cannot be written
    return values.permute(0, 3, 1, 2).sub(127.5).mul(1 / 128)


def normalise(prelogits: Tensor) -> Tensor:
    """Return rows of unit length, float32 (N, E); a row of zeros stays zeros and has a finite gradient."""
    values = prelogits.float()
    squares = values.square().sum(dim=1, keepdim=True)
    return values * squares.clamp_min(NORM_EPS).rsqrt()


def embed(network: nn.Module, images: Tensor) -> Tensor:
    """Return the embeddings of standardised images, float (N, 3, H, W), as float32 (N, E).

    They are of unit length, unless the variant of the network leaves them as they are. The mode of the
    network (train or eval), autograd and autocast are left as the caller set them.
    """
    prelogits: Tensor = network(images)
    return normalise(prelogits) if getattr(network, "normalised", True) else prelogits.float()

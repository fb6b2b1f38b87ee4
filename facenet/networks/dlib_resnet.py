"""dlib's face recognition network, a ResNet of 29 convolutions by Davis King.

Architecture: `anet_type` in dlib's dnn_face_recognition_ex.cpp: the ResNet-34 of He et al. 2016, arXiv
1512.03385, with fewer layers and half the filters.

| variant | after a convolution | embedding |
|---|---|---|
| affine | a scale and an offset per channel: batch norm, folded after training | raw, about 1.4 long |
| batch_norm | batch norm, as the network was trained | unit length |
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.networks.embedding import EmbeddingNetwork

STEM = 32
MEANS = (
    122.782,
    117.001,
    104.298,
)  # of red, green and blue: subtracted from the pixels
# Width of each residual block, and whether it halves the map.
BLOCKS = (
    *((32, False),) * 3,
    *((64, True), *((64, False),) * 3),
    *((128, True), *((128, False),) * 2),
    *((256, True), *((256, False),) * 2),
    (256, True),
)
EPSILON = 1e-4  # of dlib's batch norm


class Affine(nn.Module):
    """x * weight + bias per channel of (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled and shifted maps."""
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class ConvNorm(nn.Module):
    """A convolution with bias, followed by the variant's normalisation."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int, padding: int, variant: str
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding)
        self.bn = Affine(outputs) if variant == "affine" else nn.BatchNorm2d(outputs, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised maps, before any activation."""
        normalised: Tensor = self.bn(self.conv(x))
        return normalised


class Residual(nn.Module):
    """Two 3x3 convolutions plus the input, then ReLU.

    halves: the first convolution has stride 2 and no padding, and the shortcut is a 2x2 average pool. The two
    then differ in size: each is padded with zeros to the larger of both, right, below and in channels.
    """

    def __init__(self, inputs: int, outputs: int, *, halves: bool, variant: str) -> None:
        super().__init__()
        stride, padding = (2, 0) if halves else (1, 1)
        self.conv1 = ConvNorm(inputs, outputs, 3, stride=stride, padding=padding, variant=variant)
        self.conv2 = ConvNorm(outputs, outputs, 3, stride=1, padding=1, variant=variant)
        self.shortcut = nn.AvgPool2d(2) if halves else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated sum."""
        branch, shortcut = self.conv2(F.relu(self.conv1(x))), self.shortcut(x)
        shape = [max(sides) for sides in zip(branch.shape[1:], shortcut.shape[1:], strict=True)]
        return F.relu(_padded(branch, shape) + _padded(shortcut, shape))


class DlibResNet(EmbeddingNetwork):
    """dlib's ResNet: 5,614,592 parameters at 128 dimensions, for faces of 150 px.

    Args:
        embedding_size: width of the output; 128 by default.
        dropout: fraction of pooled features dropped in training; dlib uses none.
        variant: see the module docstring.
    """

    variants: ClassVar[dict[str, str]] = {
        "affine": "as published, with batch norm folded into a scale and an offset, raw embeddings",
        "batch_norm": "as it was trained: with batch norm",
    }
    raw_variants: ClassVar[tuple[str, ...]] = ("affine",)
    published_image_size = 150
    published_embedding_size = 128
    min_image_size = 103  # where the map before the last block is 3x3

    def __init__(
        self, embedding_size: int | None = None, *, dropout: float = 0.0, variant: str | None = None
    ) -> None:
        super().__init__(embedding_size, dropout=dropout, variant=variant)
        self.stem = ConvNorm(3, STEM, 7, stride=2, padding=0, variant=self.variant)
        self.pool = nn.MaxPool2d(3, stride=2)
        widths = [STEM, *(width for width, _ in BLOCKS)]
        blocks = zip(widths, BLOCKS, strict=False)
        self.blocks = nn.Sequential(
            *(
                Residual(inputs, outputs, halves=halves, variant=self.variant)
                for inputs, (outputs, halves) in blocks
            )
        )
        self.average = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(self.dropout_share)
        self.last_linear = nn.Linear(widths[-1], self.embedding_size, bias=False)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return prelogits (N, embedding_size) of standardised float (N, 3, H, W).

        Raises:
            ParamsInvalid: a side is below 103 px.
        """
        self.check_size(images)
        x = self.blocks(self.pool(F.relu(self.stem(images))))
        prelogits: Tensor = self.last_linear(self.dropout(self.average(x).flatten(1)))
        return prelogits


def _padded(maps: Tensor, shape: list[int]) -> Tensor:
    """Return (N, C, H, W) with zeros appended to `shape` (C, H, W)."""
    channels, height, width = (to - now for to, now in zip(shape, maps.shape[1:], strict=True))
    return F.pad(maps, (0, width, 0, height, 0, channels)) if channels or height or width else maps


def _initialise(module: nn.Module) -> None:
    """Draw convolutions as He et al. 2015 (normal, fan in), the head as Glorot and Bengio 2010 (uniform).

    The second normalisation of a block starts at zero, so that the block starts as its shortcut (Goyal et al.
    2017, arXiv 1706.02677): otherwise the maps of the affine variant would grow over 14 blocks.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        assert module.bias is not None
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    if isinstance(module, Residual):
        weight = module.conv2.bn.weight
        assert isinstance(weight, nn.Parameter)
        nn.init.zeros_(weight)

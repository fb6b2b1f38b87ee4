"""DenseNet-121, and the variant of it used by a published Siamese face network.

Architecture: Huang et al. 2017, arXiv 1608.06993: growth 32, bottleneck 128, blocks of 6, 12, 24, 16 units.

| variant | stem | first unit of a block | transition | end | embedding |
|---|---|---|---|---|---|
| full | norm, ReLU, 3x3 pool | appends to its input | halves channels | norm, ReLU | unit length |
| siamese | bias, 2x2 pool | replaces its input | keeps channels | none | raw prelogits |
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.networks.embedding import EmbeddingNetwork

GROWTH, BOTTLENECK = 32, 128
BLOCKS = (6, 12, 24, 16)


class Unit(nn.Module):
    """Batch norm, ReLU, 1x1 to 128 channels, batch norm, ReLU, 3x3 to 32 channels, appended to the input."""

    def __init__(self, inputs: int, *, replaces: bool = False) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, BOTTLENECK, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(BOTTLENECK)
        self.conv2 = nn.Conv2d(BOTTLENECK, GROWTH, 3, padding=1, bias=False)
        self.replaces = replaces

    def forward(self, x: Tensor) -> Tensor:
        """Return the input with 32 channels appended, or these alone if the unit replaces its input."""
        new: Tensor = self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x))))))
        return new if self.replaces else torch.cat([x, new], dim=1)


class Transition(nn.Sequential):
    """Batch norm, ReLU, 1x1 convolution, 2x2 average pool of stride 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.BatchNorm2d(inputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.AvgPool2d(2),
        )


class DenseNet121(EmbeddingNetwork):
    """DenseNet-121: 6,986,656 parameters (full) or 5,123,040 (siamese) at 32 dimensions.

    Args:
        embedding_size: width of the output; 32 by default.
        dropout: fraction of pooled features dropped in training; the sources use none.
        variant: see the module docstring.
    """

    variants: ClassVar[dict[str, str]] = {
        "full": "as published",
        "siamese": "no compression, no batch norm at stem and end, raw embeddings",
    }
    raw_variants: ClassVar[tuple[str, ...]] = ("siamese",)
    published_image_size = 128
    published_embedding_size = 32
    min_image_size = 32  # where the last map is 1x1

    def __init__(
        self, embedding_size: int | None = None, *, dropout: float = 0.0, variant: str | None = None
    ) -> None:
        super().__init__(embedding_size, dropout=dropout, variant=variant)
        full = self.variant == "full"
        self.conv0 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=not full)
        self.norm0 = nn.Sequential(nn.BatchNorm2d(64), nn.ReLU(inplace=True)) if full else nn.Identity()
        self.pool0 = nn.MaxPool2d(3, stride=2, padding=1) if full else nn.MaxPool2d(2)
        channels = 64
        for number, units in enumerate(BLOCKS, start=1):
            first = channels if full else 0  # channels of the block's input that survive
            widths = [channels, *(first + GROWTH * unit for unit in range(1, units))]
            block = (Unit(width, replaces=not full and n == 0) for n, width in enumerate(widths))
            self.add_module(f"block{number}", nn.Sequential(*block))
            channels = first + GROWTH * units
            if number < len(BLOCKS):
                kept = channels // 2 if full else channels
                self.add_module(f"transition{number}", Transition(channels, kept))
                channels = kept
        self.norm5 = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()) if full else nn.Identity()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(self.dropout_share)
        self.last_linear = nn.Linear(channels, self.embedding_size)
        self.apply(_initialise if full else _initialise_as_keras)

    def forward(self, images: Tensor) -> Tensor:
        """Return prelogits (N, embedding_size) of standardised float (N, 3, H, W).

        Raises:
            ParamsInvalid: a side is below 32 px.
        """
        self.check_size(images)
        x = self.pool0(self.norm0(self.conv0(images)))
        for number in range(1, len(BLOCKS)):
            x = self.get_submodule(f"block{number}")(x)
            x = self.get_submodule(f"transition{number}")(x)
        x = self.norm5(self.get_submodule(f"block{len(BLOCKS)}")(x))
        prelogits: Tensor = self.last_linear(self.dropout(self.average(x).flatten(1)))
        return prelogits


def _initialise(module: nn.Module) -> None:
    """Draw convolutions as He et al. 2015 (normal, fan in), the head as Glorot and Bengio 2010 (uniform)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _initialise_as_keras(module: nn.Module) -> None:
    """Initialise likewise, with the Siamese network's batch norm: decay 0.997, epsilon 0.001."""
    _initialise(module)
    if isinstance(module, nn.BatchNorm2d):
        module.momentum, module.eps = 0.003, 1e-3

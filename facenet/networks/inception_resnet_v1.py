"""Inception-ResNet-v1 with a linear embedding layer, as trained in davidsandberg/facenet.

Architecture: Szegedy et al. 2016, arXiv 1602.07261, with davidsandberg's widths, scales and bottleneck.
Parameter names match facenet-pytorch, so its weights load unchanged.

| variant | batch norm |
|---|---|
| facenet_pytorch | momentum 0.1; trainable scales |
| davidsandberg | momentum 0.005 (TensorFlow's decay 0.995); scales fixed at 1, as slim has none |
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from facenet.networks.embedding import EmbeddingNetwork

BATCH_NORM_EPS = 1e-3


class ConvBlock(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
        momentum: float,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated map."""
        activated: Tensor = self.relu(self.bn(self.conv(x)))
        return activated


class ResidualBlock(nn.Module):
    """x + scale * up(concatenated branches), then ReLU unless it is the last block."""

    def __init__(
        self, channels: int, branches: Sequence[nn.Module], width: int, *, scale: float, activate: bool = True
    ) -> None:
        super().__init__()
        for number, branch in enumerate(branches):
            self.add_module(f"branch{number}", branch)
        self.branch_count = len(branches)
        self.conv2d = nn.Conv2d(width, channels, 1)
        self.scale = scale
        self.relu = nn.ReLU(inplace=True) if activate else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the shape of `x`."""
        branches = [self.get_submodule(f"branch{number}")(x) for number in range(self.branch_count)]
        up = self.conv2d(torch.cat(branches, dim=1))
        out: Tensor = self.relu(torch.add(x, up, alpha=self.scale))
        return out


class Reduction(nn.Module):
    """Branches of stride 2 and a 3x3 max pool of stride 2, concatenated; no padding at stride 2."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        for number, branch in enumerate([*branches, nn.MaxPool2d(3, stride=2)]):
            self.add_module(f"branch{number}", branch)
        self.branch_count = len(branches) + 1

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of half the height and width."""
        return torch.cat([self.get_submodule(f"branch{n}")(x) for n in range(self.branch_count)], dim=1)


def block35(momentum: float, *, scale: float = 0.17) -> ResidualBlock:
    """Return Inception-ResNet-A on 256 channels."""
    branches = (
        ConvBlock(256, 32, 1, momentum=momentum),
        nn.Sequential(
            ConvBlock(256, 32, 1, momentum=momentum), ConvBlock(32, 32, 3, padding=1, momentum=momentum)
        ),
        nn.Sequential(
            ConvBlock(256, 32, 1, momentum=momentum),
            ConvBlock(32, 32, 3, padding=1, momentum=momentum),
            ConvBlock(32, 32, 3, padding=1, momentum=momentum),
        ),
    )
    return ResidualBlock(256, branches, 96, scale=scale)


def _factorised(channels: int, width: int, length: int, momentum: float) -> tuple[nn.Module, nn.Module]:
    """Return two branches of `width` channels: 1x1; and 1x1, 1 x length, length x 1."""
    half = length // 2
    return (
        ConvBlock(channels, width, 1, momentum=momentum),
        nn.Sequential(
            ConvBlock(channels, width, 1, momentum=momentum),
            ConvBlock(width, width, (1, length), padding=(0, half), momentum=momentum),
            ConvBlock(width, width, (length, 1), padding=(half, 0), momentum=momentum),
        ),
    )


def block17(momentum: float, *, scale: float = 0.10) -> ResidualBlock:
    """Return Inception-ResNet-B on 896 channels."""
    return ResidualBlock(896, _factorised(896, 128, 7, momentum), 256, scale=scale)


def block8(momentum: float, *, scale: float = 0.20, activate: bool = True) -> ResidualBlock:
    """Return Inception-ResNet-C on 1792 channels."""
    return ResidualBlock(1792, _factorised(1792, 192, 3, momentum), 384, scale=scale, activate=activate)


def reduction_a(momentum: float) -> Reduction:
    """Return the reduction from 256 to 896 channels."""
    return Reduction(
        (
            ConvBlock(256, 384, 3, stride=2, momentum=momentum),
            nn.Sequential(
                ConvBlock(256, 192, 1, momentum=momentum),
                ConvBlock(192, 192, 3, padding=1, momentum=momentum),
                ConvBlock(192, 256, 3, stride=2, momentum=momentum),
            ),
        )
    )


def reduction_b(momentum: float) -> Reduction:
    """Return the reduction from 896 to 1792 channels."""
    return Reduction(
        (
            nn.Sequential(
                ConvBlock(896, 256, 1, momentum=momentum), ConvBlock(256, 384, 3, stride=2, momentum=momentum)
            ),
            nn.Sequential(
                ConvBlock(896, 256, 1, momentum=momentum), ConvBlock(256, 256, 3, stride=2, momentum=momentum)
            ),
            nn.Sequential(
                ConvBlock(896, 256, 1, momentum=momentum),
                ConvBlock(256, 256, 3, padding=1, momentum=momentum),
                ConvBlock(256, 256, 3, stride=2, momentum=momentum),
            ),
        )
    )


class InceptionResnetV1(EmbeddingNetwork):
    """Inception-ResNet-v1: 23,482,624 parameters at 512 dimensions, maps of 17, 8 and 3 at 160 px.

    Args:
        embedding_size: width of the output; 512 by default.
        dropout: fraction of pooled features dropped in training; 0.6 in davidsandberg's VGGFace2 run.
        variant: selects the batch norm, see the module docstring.
    """

    variants: ClassVar[dict[str, str]] = {
        "facenet_pytorch": "batch norm momentum 0.1",
        "davidsandberg": "batch norm momentum 0.005, without scales",
    }
    published_image_size = 160
    published_embedding_size = 512
    min_image_size = 75  # where the maps are 7, 3 and 1

    def __init__(
        self, embedding_size: int | None = None, *, dropout: float = 0.0, variant: str | None = None
    ) -> None:
        super().__init__(embedding_size, dropout=dropout, variant=variant)
        momentum = 0.005 if self.variant == "davidsandberg" else 0.1
        self.conv2d_1a = ConvBlock(3, 32, 3, stride=2, momentum=momentum)
        self.conv2d_2a = ConvBlock(32, 32, 3, momentum=momentum)
        self.conv2d_2b = ConvBlock(32, 64, 3, padding=1, momentum=momentum)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = ConvBlock(64, 80, 1, momentum=momentum)
        self.conv2d_4a = ConvBlock(80, 192, 3, momentum=momentum)
        self.conv2d_4b = ConvBlock(192, 256, 3, stride=2, momentum=momentum)
        self.repeat_1 = nn.Sequential(*(block35(momentum) for _ in range(5)))
        self.mixed_6a = reduction_a(momentum)
        self.repeat_2 = nn.Sequential(*(block17(momentum) for _ in range(10)))
        self.mixed_7a = reduction_b(momentum)
        self.repeat_3 = nn.Sequential(*(block8(momentum) for _ in range(5)))
        self.block8 = block8(momentum, scale=1.0, activate=False)
        self.avgpool_1a = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(self.dropout_share)
        self.last_linear = nn.Linear(1792, self.embedding_size, bias=False)
        self.last_bn = nn.BatchNorm1d(self.embedding_size, eps=BATCH_NORM_EPS, momentum=momentum)
        self.apply(_initialise)
        if self.variant == "davidsandberg":
            self.apply(_fix_scale)

    def forward(self, images: Tensor) -> Tensor:
        """Return prelogits (N, embedding_size) of standardised float (N, 3, H, W).

        Raises:
            ParamsInvalid: a side is below 75 px.
        """
        self.check_size(images)
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(images)))
        x = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(self.maxpool_3a(x))))
        x = self.mixed_6a(self.repeat_1(x))
        x = self.mixed_7a(self.repeat_2(x))
        x = self.block8(self.repeat_3(x))
        prelogits: Tensor = self.last_bn(self.last_linear(self.dropout(self.avgpool_1a(x).flatten(1))))
        return prelogits


def _initialise(module: nn.Module) -> None:
    """Draw weights as Glorot and Bengio 2010 (uniform), biases zero."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _fix_scale(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        module.weight.requires_grad = False

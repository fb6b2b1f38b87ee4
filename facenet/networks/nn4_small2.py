"""NN4.Small2, OpenFace's small Inception network, and Deeplearning4j's version of it.

Architecture: Amos et al. 2016 (OpenFace, CMU-CS-16-118), after NN4 of Schroff et al. 2015 (arXiv 1503.03832).

| variant | padding at stride 2 | "5x5" of 3c, 4e | L2 pool | LRN | initial biases of 3a, 3b, 4a |
|---|---|---|---|---|---|
| openface | symmetric | 5x5 | unpadded, output padded with zeros | alpha / 5 per channel | 0 |
| dl4j | extra right and bottom | 3x3 | input padded with zeros | alpha per channel | 0.2 |
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.networks.embedding import EmbeddingNetwork
from facenet.networks.padding import SameMaxPool, pad_same

HELPER_BLOCKS = (
    "inception_3a",
    "inception_3b",
    "inception_4a",
)  # their biases start at 0.2 in Deeplearning4j


def l2_pool(images: Tensor, kernel: int = 3) -> Tensor:
    """Return the square root of the sum of squares in each window, at stride 1 and without padding.

    Computed in float32, because squares overflow in half precision. A window of zeros has gradient zero.
    """
    with torch.autocast(images.device.type, enabled=False):
        sums = F.avg_pool2d(images.float().square(), kernel, stride=1, divisor_override=1)
        positive = sums > 0
        roots = torch.where(positive, sums, 1.0).sqrt() * positive
    return roots.to(images.dtype)


class ConvBlock(nn.Module):
    """Convolution with bias, batch norm, ReLU; the map has ceil(side / stride) pixels a side."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, variant: str) -> None:
        super().__init__()
        self.same = variant == "dl4j" and stride > 1  # otherwise padding is symmetric
        padding = 0 if self.same else kernel // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding)
        self.bn = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated map."""
        if self.same:
            x = pad_same(x, self.conv.kernel_size[0], self.conv.stride[0])
        activated: Tensor = self.relu(self.bn(self.conv(x)))
        return activated


def max_pool(stride: int, variant: str) -> nn.Module:
    """Return a 3x3 max pool of non-negative maps; the map has ceil(side / stride) pixels a side."""
    return SameMaxPool(stride) if variant == "dl4j" else nn.MaxPool2d(3, stride=stride, padding=1)


class L2PoolProjection(nn.Module):
    """3x3 L2 pool of stride 1 and a 1x1 convolution; the map keeps its size."""

    def __init__(self, inputs: int, outputs: int, variant: str) -> None:
        super().__init__()
        self.frame_after = variant == "openface"
        self.projection = ConvBlock(inputs, outputs, 1, variant=variant)

    def forward(self, x: Tensor) -> Tensor:
        """Return the projected map; in the openface variant its border is zero."""
        if self.frame_after:
            return F.pad(self.projection(l2_pool(x)), (1, 1, 1, 1))
        projected: Tensor = self.projection(l2_pool(F.pad(x, (1, 1, 1, 1))))
        return projected


class Inception(nn.Module):
    """Parallel branches, concatenated in the order 3x3, 5x5, pool, 1x1; an absent branch is None."""

    def __init__(
        self, *, three: nn.Module, five: nn.Module | None, pool: nn.Module, one: nn.Module | None
    ) -> None:
        super().__init__()
        self.three, self.five, self.pool, self.one = three, five, pool, one

    def forward(self, x: Tensor) -> Tensor:
        """Return the concatenated maps."""
        branches = [branch for branch in (self.three, self.five, self.pool, self.one) if branch is not None]
        return torch.cat([branch(x) for branch in branches], dim=1)


class NN4Small2(EmbeddingNetwork):
    """NN4.Small2: 3,733,968 parameters (openface) or 3,570,128 (dl4j) at 128 dimensions, for 96 px.

    Larger images give larger last maps, averaged over their whole area.

    Args:
        embedding_size: width of the output; 128 by default.
        dropout: fraction of pooled features dropped in training; the sources use none.
        variant: see the module docstring.
    """

    variants: ClassVar[dict[str, str]] = {
        "openface": "as in OpenFace",
        "dl4j": "padding, 3x3 for 5x5, response normalisation and initial biases of Deeplearning4j",
    }
    published_image_size = 96
    published_embedding_size = 128
    min_image_size = 65  # where the last map is 3x3, the minimum for the sources' average and L2 pools

    def __init__(
        self, embedding_size: int | None = None, *, dropout: float = 0.0, variant: str | None = None
    ) -> None:
        super().__init__(embedding_size, dropout=dropout, variant=variant)
        form = self.variant
        self.conv1 = self._conv(3, 64, 7, stride=2)
        self.pool1 = max_pool(2, form)
        self.norm1 = self._lrn()
        self.inception_2 = nn.Sequential(self._conv(64, 64, 1), self._conv(64, 192, 3))
        self.norm2 = self._lrn()
        self.pool2 = max_pool(2, form)
        self.inception_3a = Inception(
            three=self._reduced(192, 96, 128, 3),
            five=self._reduced(192, 16, 32, 5),
            pool=nn.Sequential(max_pool(1, form), self._conv(192, 32, 1)),
            one=self._conv(192, 64, 1),
        )
        self.inception_3b = Inception(
            three=self._reduced(256, 96, 128, 3),
            five=self._reduced(256, 32, 64, 5),
            pool=L2PoolProjection(256, 64, form),
            one=self._conv(256, 64, 1),
        )
        self.inception_3c = self._halving(320, three=(128, 256), five=(32, 64))
        self.inception_4a = Inception(
            three=self._reduced(640, 96, 192, 3),
            five=self._reduced(640, 32, 64, 5),
            pool=L2PoolProjection(640, 128, form),
            one=self._conv(640, 256, 1),
        )
        self.inception_4e = self._halving(640, three=(160, 256), five=(64, 128))
        self.inception_5a = Inception(
            three=self._reduced(1024, 96, 384, 3),
            five=None,
            pool=L2PoolProjection(1024, 96, form),
            one=self._conv(1024, 256, 1),
        )
        self.inception_5b = Inception(
            three=self._reduced(736, 96, 384, 3),
            five=None,
            pool=nn.Sequential(max_pool(1, form), self._conv(736, 96, 1)),
            one=self._conv(736, 256, 1),
        )
        self.average = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(self.dropout_share)
        self.last_linear = nn.Linear(736, self.embedding_size)
        self.apply(_initialise)
        if form == "dl4j":
            for name in HELPER_BLOCKS:
                self.get_submodule(name).apply(_raise_bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return prelogits (N, embedding_size) of standardised float (N, 3, H, W).

        Raises:
            ParamsInvalid: a side is below 65 px.
        """
        self.check_size(images)
        x = self.norm1(self.pool1(self.conv1(images)))
        x = self.pool2(self.norm2(self.inception_2(x)))
        x = self.inception_3c(self.inception_3b(self.inception_3a(x)))
        x = self.inception_4e(self.inception_4a(x))
        x = self.inception_5b(self.inception_5a(x))
        prelogits: Tensor = self.last_linear(self.dropout(self.average(x).flatten(1)))
        return prelogits

    def _conv(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> ConvBlock:
        return ConvBlock(inputs, outputs, kernel, stride=stride, variant=self.variant)

    def _reduced(self, inputs: int, reduced: int, outputs: int, kernel: int, *, stride: int = 1) -> nn.Module:
        return nn.Sequential(
            self._conv(inputs, reduced, 1), self._conv(reduced, outputs, kernel, stride=stride)
        )

    def _halving(self, inputs: int, *, three: tuple[int, int], five: tuple[int, int]) -> Inception:
        kernel = 3 if self.variant == "dl4j" else 5
        return Inception(
            three=self._reduced(inputs, *three, 3, stride=2),
            five=self._reduced(inputs, *five, kernel, stride=2),
            pool=max_pool(2, self.variant),
            one=None,
        )

    def _lrn(self) -> nn.LocalResponseNorm:
        """Return LRN with k 1; PyTorch and Torch7 divide alpha by the 5 channels, Deeplearning4j does not."""
        return nn.LocalResponseNorm(5, alpha=5e-4 if self.variant == "dl4j" else 1e-4, beta=0.75, k=1.0)


def _initialise(module: nn.Module) -> None:
    """Draw weights as He et al. 2015 (normal, fan in), biases zero."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _raise_bias(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        assert module.bias is not None
        nn.init.constant_(module.bias, 0.2)

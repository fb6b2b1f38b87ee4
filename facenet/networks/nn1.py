"""NN1, the first network of the FaceNet paper, shortened as in a widely copied TensorFlow notebook.

Convolutions as in table 1 of Schroff et al. 2015 (arXiv 1503.03832). Differences from the
paper: batch norm instead of response normalisation, maxout over pairs of channels before the first fully
connected layer rather than as its activation, and one fully connected layer fewer: 29,393,728 parameters
instead of the paper's 140 million.

| variant | batch norm and dropout | embedding |
|---|---|---|
| sane | follow the network's mode | unit length |
| faithful | inert, because the notebook never sets training mode | raw prelogits |
"""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from facenet.networks.embedding import EmbeddingNetwork
from facenet.networks.padding import SameMaxPool, pad_same

BATCH_NORM_EPS = 1e-3  # TensorFlow's
LAST_MAP = 7  # side of the last map at 220 px, the input of the first fully connected layer
HIDDEN = 4096


class InertBatchNorm(nn.BatchNorm2d):
    """Batch norm with fixed statistics, mean 0 and variance 1: only scale and shift are trained."""

    def forward(self, x: Tensor) -> Tensor:
        """Return scale * x / sqrt(1 + eps) + shift, in training and in evaluation."""
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class ConvBlock(nn.Module):
    """Convolution with bias, batch norm, ReLU; the map has ceil(side / stride) pixels a side."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, inert: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride)
        self.bn = (InertBatchNorm if inert else nn.BatchNorm2d)(outputs, eps=BATCH_NORM_EPS)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated map."""
        padded = pad_same(x, self.conv.kernel_size[0], self.conv.stride[0])
        activated: Tensor = self.relu(self.bn(self.conv(padded)))
        return activated


class Maxout(nn.Module):
    """The maximum of channels 2k and 2k + 1 (Goodfellow et al. 2013, arXiv 1302.4389)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C / 2, H, W) of (N, C, H, W)."""
        count, channels, *sides = x.shape
        return x.reshape(count, channels // 2, 2, *sides).amax(dim=2)


class NN1(EmbeddingNetwork):
    """NN1: 29,393,728 parameters at 128 dimensions, maps of 110, 55, 28, 14 and 7 at 220 px.

    At other input sizes the last map is averaged or repeated to 7x7, so the weights fit any size. They are
    drawn as in Glorot and Bengio 2010 (uniform) from PyTorch's generator; the notebook draws every layer with
    seed 0.

    Args:
        embedding_size: width of the output; 128 by default.
        dropout: fraction of the hidden layer dropped in training; 0.2 in the notebook.
        variant: see the module docstring.
    """

    variants: ClassVar[dict[str, str]] = {
        "sane": "working batch norm and dropout",
        "faithful": "inert batch norm and dropout, raw embeddings",
    }
    raw_variants: ClassVar[tuple[str, ...]] = ("faithful",)
    published_image_size = 220
    published_embedding_size = 128
    min_image_size = 65  # where the last map is 3x3

    def __init__(
        self, embedding_size: int | None = None, *, dropout: float = 0.0, variant: str | None = None
    ) -> None:
        super().__init__(embedding_size, dropout=dropout, variant=variant)
        inert = self.variant == "faithful"
        self.conv1 = ConvBlock(3, 64, 7, stride=2, inert=inert)
        self.pool1 = SameMaxPool(2)
        self.conv2a, self.conv2 = _pair(64, 64, 192, inert=inert)
        self.pool2 = SameMaxPool(2)
        self.conv3a, self.conv3 = _pair(192, 192, 384, inert=inert)
        self.pool3 = SameMaxPool(2)
        self.conv4a, self.conv4 = _pair(384, 384, 256, inert=inert)
        self.conv5a, self.conv5 = _pair(256, 256, 256, inert=inert)
        self.conv6a, self.conv6 = _pair(256, 256, 256, inert=inert)
        self.pool4 = SameMaxPool(2)
        self.maxout = Maxout()
        self.resize = nn.AdaptiveAvgPool2d(LAST_MAP)
        self.fc1 = nn.Linear(128 * LAST_MAP**2, HIDDEN)
        self.dropout = nn.Dropout(0.0 if inert else self.dropout_share)
        self.last_linear = nn.Linear(HIDDEN, self.embedding_size)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return prelogits (N, embedding_size) of standardised float (N, 3, H, W).

        Raises:
            ParamsInvalid: a side is below 65 px.
        """
        self.check_size(images)
        x = self.pool1(self.conv1(images))
        x = self.pool2(self.conv2(self.conv2a(x)))
        x = self.pool3(self.conv3(self.conv3a(x)))
        x = self.conv5(self.conv5a(self.conv4(self.conv4a(x))))
        x = self.pool4(self.conv6(self.conv6a(x)))
        hidden = F.relu(self.fc1(self.resize(self.maxout(x)).flatten(1)))
        prelogits: Tensor = self.last_linear(self.dropout(hidden))
        return prelogits


def _pair(inputs: int, reduced: int, outputs: int, *, inert: bool) -> tuple[ConvBlock, ConvBlock]:
    """Return a 1x1 and a 3x3 convolution."""
    return ConvBlock(inputs, reduced, 1, inert=inert), ConvBlock(reduced, outputs, 3, inert=inert)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)

"""TensorFlow's "same" padding: maps of ceil(side / stride) pixels, extra zeros right and bottom."""

import torch.nn.functional as F
from torch import Tensor, nn


def pad_same(images: Tensor, kernel: int, stride: int) -> Tensor:
    """Return zero-padded `images` for maps of ceil(side / stride), with extra zeros right and bottom."""
    pads = []
    for side in (images.shape[-1], images.shape[-2]):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(images, pads) if any(pads) else images


class SameMaxPool(nn.Module):
    """3x3 max pool of non-negative maps, which zero padding does not change."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the maximum of each window, in maps of ceil(side / stride) pixels."""
        return F.max_pool2d(pad_same(x, 3, self.stride), 3, stride=self.stride)

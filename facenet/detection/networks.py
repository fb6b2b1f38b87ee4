"""The three MTCNN networks (Zhang et al., IEEE SPL 23(10), 2016), for upright images.

Inputs are float32 (N, 3, H, W), RGB, (x - 127.5) / 128. Pooling rounds sizes up, as Caffe does. The memory
layout is channels last, which makes the small convolutions fast on a CPU.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LAYOUT = torch.channels_last
IDLE = 6  # zero channels added to P-Net's first layer


@torch.no_grad()
def max_pool(x: Tensor, kernel: int) -> Tensor:
    """Return the maximum over `kernel` x `kernel` windows at stride 2, sizes rounded up; (N, C, H, W).

    Equals F.max_pool2d(x, kernel, 2, ceil_mode=True), but maxima of strided views are several times faster on
    a CPU when there are few channels. For inference only: maxima are computed in place, without gradients.
    """
    return _max_along(_max_along(x, kernel, 2), kernel, 3)


def _max_along(x: Tensor, kernel: int, axis: int) -> Tensor:
    length = -(-(x.shape[axis] - kernel) // 2) + 1
    everything = (slice(None),) * axis
    first, second, *others = (
        x[(*everything, slice(start, start + 2 * length - 1, 2))] for start in range(kernel)
    )
    if second.shape[axis] == length:
        out = torch.maximum(first, second)
    else:
        out, others = first.clone(), [second, *others]
    for view in others:  # the last window may extend past the edge: the view is then shorter
        shared = out.narrow(axis, 0, view.shape[axis])
        torch.maximum(shared, view, out=shared)
    return out


def bias_of(layer: nn.Conv2d) -> Tensor:
    """Return the bias of a layer known to have one; torch types it as optional."""
    assert layer.bias is not None
    return layer.bias


def flatten(x: Tensor) -> Tensor:
    """Flatten (N, C, H, W) in the order W, H, C: the dense layers were trained on transposed images."""
    return x.permute(0, 3, 2, 1).flatten(1)


class PNet(nn.Module):
    """Propose faces of 12 x 12 pixels at every other pixel; 6,632 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.score = nn.Conv2d(32, 2, 1)
        self.box = nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map (N, 3, H, W), H and W at least 12, to face probabilities (N, h, w) and offsets (N, 4, h, w).

        mask (H - 2, W - 2): added to the first layer's output; -inf excludes a position from pooling.
        """
        x = F.prelu(F.conv2d(x, *self._first()), F.pad(self.prelu1.weight, (0, IDLE)))
        x = max_pool(x if mask is None else x + mask, 2)
        kernel = F.pad(self.conv2.weight, (0, 0, 0, 0, 0, IDLE)).contiguous(memory_format=LAYOUT)
        x = self.prelu2(F.conv2d(x, kernel, self.conv2.bias))
        return self._heads(self.prelu3(self.conv3(x)))

    def _first(self) -> tuple[Tensor, Tensor]:
        """Return kernel and bias of the first layer with IDLE zero channels: 16 are faster than 10."""
        kernel = F.pad(self.conv1.weight, (0, 0, 0, 0, 0, 0, 0, IDLE)).contiguous(memory_format=LAYOUT)
        return kernel, F.pad(bias_of(self.conv1), (0, IDLE))

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Apply both output layers in one product; a softmax over two scores is a sigmoid."""
        (score, box), (score_bias, box_bias) = zip(
            *((layer.weight.flatten(1), bias_of(layer)) for layer in (self.score, self.box)), strict=True
        )
        weight = torch.cat([score[1:] - score[:1], box])
        bias = torch.cat([score_bias[1:] - score_bias[:1], box_bias])
        output = F.linear(x.permute(0, 2, 3, 1), weight, bias).permute(0, 3, 1, 2)
        return output[:, 0].sigmoid(), output[:, 1:]


class RNet(nn.Module):
    """Refine proposals from crops of 24 x 24 pixels; 100,178 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.score = nn.Linear(128, 2)
        self.box = nn.Linear(128, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, 3, 24, 24) to face probabilities (N,) and offsets (N, 4)."""
        x = max_pool(self.prelu1(self.conv1(x)), 3)
        x = max_pool(self.prelu2(self.conv2(x)), 3)
        x = flatten(self.prelu3(self.conv3(x)))
        x = self.prelu4(self.dense4(x))
        return self.score(x).softmax(1)[:, 1], self.box(x)


class ONet(nn.Module):
    """Decide on crops of 48 x 48 pixels and place five landmarks; 389,040 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.score = nn.Linear(256, 2)
        self.box = nn.Linear(256, 4)
        self.landmarks = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (N, 3, 48, 48) to probabilities (N,), offsets (N, 4) and landmarks (N, 10): five x, five y."""
        x = max_pool(self.prelu1(self.conv1(x)), 3)
        x = max_pool(self.prelu2(self.conv2(x)), 3)
        x = max_pool(self.prelu3(self.conv3(x)), 2)
        x = flatten(self.prelu4(self.conv4(x)))
        x = self.prelu5(self.dense5(x))
        return self.score(x).softmax(1)[:, 1], self.box(x), self.landmarks(x)

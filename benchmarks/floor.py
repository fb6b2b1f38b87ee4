"""A lower bound for detection time: the networks' multiply-adds at this machine's measured peak."""

import time
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from facenet.detection import MTCNN
from facenet.detection.integral import Floats
from facenet.detection.pyramid import scales
from facenet.devices import cpu_threads

REPEATS, SECONDS = 5, 0.3  # per measurement


def multiply_adds(photos: Sequence[str]) -> dict[str, float]:
    """Return the mean multiply-adds per photo in each of the three networks.

    P-Net: every level of the pyramid once, without padding. R-Net, O-Net: the actual crops, without the
    padding of their chunks.
    """
    detector, seen = MTCNN(), {"rnet": 0, "onet": 0}
    for name, reader in (("rnet", detector.r_reader), ("onet", detector.o_reader)):
        reader.network = _counting(seen, name, reader.network)
    pnet = 0
    for path in photos:
        pixels = np.array(Image.open(path).convert("RGB"))
        detector.detect([pixels])
        pnet += sum(_levels(detector.pnet, pixels.shape[0], pixels.shape[1], detector))
    crops = {name: _cost(getattr(detector, name), side, side) for name, side in (("rnet", 24), ("onet", 48))}
    return {
        "pnet": pnet / len(photos),
        "rnet": seen["rnet"] * crops["rnet"] / len(photos),
        "onet": seen["onet"] * crops["onet"] / len(photos),
    }


def _counting(
    seen: dict[str, int], name: str, network: Callable[[Floats], Floats]
) -> Callable[[Floats], Floats]:
    def count(crops: Floats) -> Floats:
        seen[name] += len(crops)
        return network(crops)

    return count


def _levels(pnet: nn.Module, height: int, width: int, detector: MTCNN) -> list[int]:
    settings = detector.settings
    found = scales(height, width, settings.min_face, settings.factor)
    return [_cost(pnet, int(height * scale + 1), int(width * scale + 1)) for scale in found]


@cache
@torch.no_grad()
def _cost(network: nn.Module, height: int, width: int) -> int:
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, height, width).contiguous(memory_format=torch.channels_last))
    return int(counter.get_total_flops()) // 2


@torch.inference_mode()
def peak(threads: int) -> dict[str, float]:
    """Return the best multiply-adds per second of a matrix product and of a large convolution."""
    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    x = torch.randn(4, 64, 112, 112).contiguous(memory_format=torch.channels_last)
    w = torch.randn(64, 64, 3, 3).contiguous(memory_format=torch.channels_last)
    with cpu_threads(threads):
        return {
            "matmul": _rate(lambda: a @ b, 1536**3),
            "convolution": _rate(lambda: F.conv2d(x, w), 4 * 110 * 110 * 64 * 64 * 9),
        }


def _rate(work: Callable[[], Tensor], multiply_adds_each: int) -> float:
    work()
    best = 0.0
    for _ in range(REPEATS):
        count, began = 0, time.perf_counter()
        while (seconds := time.perf_counter() - began) < SECONDS:
            work()
            count += 1
        best = max(best, count * multiply_adds_each / seconds)
    return best

"""Show the crops of many images to R-Net or O-Net, such that each result depends on its own crop alone.

A network sees chunks of one fixed shape, filled up with zeros: kernels, and with them the last bits of a
result, are chosen by shape. Crops of all images are gathered first, so that few places of a chunk stay empty.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from facenet.detection.boxes import clip
from facenet.detection.integral import Floats, Indices, IntegralImage, area_cells

SLAB_PIXELS = 2**16  # of crops held at a time: running sums of 1 MB stay in the second-level cache


class Reading(NamedTuple):
    """What a network says of crops: scores (F,), offsets (F, 4), landmarks (F, 10), or (F, 0) of R-Net."""

    scores: Floats
    offsets: Floats
    landmarks: Floats


def standardised(pixels: Floats, device: torch.device) -> Tensor:
    """Return float32 (N, 3, H, W), channels last, (x - 127.5) / 128, for pixels (N, H, W, 3) of 0 to 255."""
    values = (pixels - np.float32(127.5)) * np.float32(1 / 128)
    return torch.from_numpy(values).permute(0, 3, 1, 2).to(device)


class CropReader:
    """Crop boxes, resize them to `side` x `side` pixels by area means, run them in chunks of `size`."""

    def __init__(self, network: nn.Module, *, side: int, size: int, device: torch.device) -> None:
        self.network, self.side, self.size, self.device = network, side, size, device

    def read(self, integrals: list[IntegralImage], boxes: list[Floats]) -> Iterator[tuple[Floats, Reading]]:
        """Yield, per image, those of its boxes (F, 4) that meet it, and the network's reading of them."""
        clipped = [clip(b, i.height, i.width) for b, i in zip(boxes, integrals, strict=True)]
        meets = [(c[:, 2:] >= c[:, :2]).all(axis=1) for c in clipped]
        clipped = [c[m] for c, m in zip(clipped, meets, strict=True)]
        reading = self._run(self._slabs(integrals, clipped))
        ends = np.cumsum([len(c) for c in clipped])
        for b, m, c, end in zip(boxes, meets, clipped, ends, strict=True):
            yield b[m], Reading(*(x[end - len(c) : end] for x in reading))

    def _slabs(self, integrals: list[IntegralImage], clipped: list[Indices]) -> Iterator[Floats]:
        """Yield the crops (n, side, side, 3) of all images in order, whole chunks of them until the last."""
        limit = max(1, SLAB_PIXELS // self.side**2)
        slab: list[Floats] = []
        for integral, boxes in zip(integrals, clipped, strict=True):
            for start in range(0, len(boxes), limit):
                x0, y0, x1, y1 = boxes[start : start + limit].T
                rows = area_cells(y0 - 1, y1 - y0 + 1, self.side)
                slab.append(integral.crops(rows, area_cells(x0 - 1, x1 - x0 + 1, self.side)))
                if sum(map(len, slab)) >= limit:
                    crops = np.concatenate(slab)
                    whole = len(crops) - len(crops) % self.size
                    yield crops[:whole]
                    slab = [crops[whole:]]
        if slab:
            yield np.concatenate(slab)

    def _run(self, slabs: Iterable[Floats]) -> Reading:
        chunks = [self._chunk(s[i : i + self.size]) for s in slabs for i in range(0, len(s), self.size)]
        if not chunks:
            return Reading(*(np.zeros(shape, np.float32) for shape in (0, (0, 4), (0, 10))))
        return Reading(*(np.concatenate(column) for column in zip(*chunks, strict=True)))

    def _chunk(self, crops: Floats) -> Reading:
        full = np.zeros((self.size, self.side, self.side, 3), np.float32)
        full[: len(crops)] = crops
        output = [x[: len(crops)].cpu().numpy() for x in self.network(standardised(full, self.device))]
        scores, offsets, *landmarks = output
        return Reading(scores, offsets, landmarks[0] if landmarks else offsets[:, :0])

"""The interface of a runtime: the three networks, ready to run.

A network always gets chunks of one shape, padded with zeros: libraries choose kernels, and with them the last
bits of a result, by shape. The result for a crop therefore depends on the crop alone.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from facenet.detection.integral import Floats


class Runtime(NamedTuple):
    """The networks, ready to run. Pixels are 0 to 255 with four channels, the last of which is unused.

    chunks: crops per call of R-Net and O-Net.
    propose: maps pixels (H, W, 4) and `Canvas.mask` to (5, h, w): probability and four offsets per window of
        P-Net.
    refine: maps crops (n, 24, 24, 4) to R-Net's probability and four offsets (n, 5).
    decide: maps crops (n, 48, 48, 4) to O-Net's probability, four offsets and ten landmark coordinates
        (n, 15).
    """

    chunks: tuple[int, int]
    propose: Callable[[Floats, Floats], Floats]
    refine: Callable[[Floats], Floats]
    decide: Callable[[Floats], Floats]


def whole_chunks(crops: Floats, size: int) -> Iterator[Floats]:
    """Yield contiguous chunks of `size` crops from (n, ...), the last one padded with zeros."""
    for start in range(0, len(crops), size):
        chunk = np.ascontiguousarray(crops[start : start + size])
        missing = size - len(chunk)
        if missing:
            chunk = np.concatenate([chunk, np.zeros((missing, *chunk.shape[1:]), np.float32)])
        yield chunk

"""The three networks made ready to run, whatever runs them.

A network always sees chunks of one shape, filled up with zeros: kernels, and with them the last bits of a
result, are chosen by shape. The result for a crop therefore depends on the crop alone.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from facenet.detection.integral import Floats


class Runtime(NamedTuple):
    """The networks, made ready. Pixels are 0 to 255, of four channels, the last of which has no meaning.

    chunks: crops that R-Net and O-Net are shown at a time.
    propose: maps pixels (H, W, 4) and `Canvas.mask` to (5, h, w): probability and four offsets of each of
        P-Net's windows.
    refine: maps crops (n, 24, 24, 4) to R-Net's probabilities and four offsets (n, 5).
    decide: maps crops (n, 48, 48, 4) to O-Net's probabilities, four offsets and ten landmarks (n, 15).
    """

    chunks: tuple[int, int]
    propose: Callable[[Floats, Floats], Floats]
    refine: Callable[[Floats], Floats]
    decide: Callable[[Floats], Floats]


def whole_chunks(crops: Floats, size: int) -> Iterator[Floats]:
    """Yield crops (n, ...) `size` at a time, contiguous, the last ones filled up with zeros."""
    for start in range(0, len(crops), size):
        chunk = np.ascontiguousarray(crops[start : start + size])
        missing = size - len(chunk)
        if missing:
            chunk = np.concatenate([chunk, np.zeros((missing, *chunk.shape[1:]), np.float32)])
        yield chunk

"""A batch in pieces that fit into memory, and each piece in parts that processes compute."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facenet.errors import DataInvalid
from facenet.training.processes import Processes


class Piece(NamedTuple):
    """Images of a batch that go through the network at once.

    whole: their numbers in the batch. own: those of them that this process computes, also in the batch.
    """

    whole: slice
    own: slice


@dataclass(frozen=True)
class Division:
    """How batches are divided.

    processes: those that share the work.
    accumulate: pieces of a batch whose gradients are added up before the weights move. A piece has two images
        or more, which batch norm needs, so that a small batch has fewer pieces.
    """

    processes: Processes = field(default_factory=Processes)
    accumulate: int = 1

    def pieces(self, total: int) -> list[Piece]:
        """Return the pieces of a batch of `total` images, in order; none is empty in any process.

        Raises:
            DataInvalid: there are fewer images than processes.
        """
        count = self.processes.count
        if total < count:
            raise DataInvalid(
                f"A batch has {total} images for {count} processes. Raise train.batch_size or start fewer."
            )
        number = max(1, min(self.accumulate, total // (2 * count)))
        edges = [step * total // number for step in range(number + 1)]
        return [
            Piece(slice(start, stop), self.processes.part(start, stop)) for start, stop in pairwise(edges)
        ]

    def own(self, total: int) -> npt.NDArray[np.int64]:
        """Return the numbers in the batch of all images that this process computes."""
        parts = [np.arange(piece.own.start, piece.own.stop) for piece in self.pieces(total)]
        return np.concatenate(parts).astype(np.int64)

"""Split a batch into pieces that fit into memory, and each piece into the parts of the processes."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facenet.errors import DataInvalid
from facenet.training.processes import Processes


class Piece(NamedTuple):
    """Images of a batch that pass through the network together.

    whole: their range in the batch. own: the range that this process computes, also in the batch.
    """

    whole: slice
    own: slice


@dataclass(frozen=True)
class Division:
    """How batches are divided.

    processes: the processes that share the work.
    accumulate: number of pieces of a batch; their gradients are summed before the weights are updated. Batch
        norm needs at least two images per piece, so a small batch is split into fewer pieces.
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
                f"A batch of {total} images cannot be shared by {count} processes. "
                "Raise train.batch_size or start fewer processes."
            )
        number = max(1, min(self.accumulate, total // (2 * count)))
        edges = [step * total // number for step in range(number + 1)]
        return [
            Piece(slice(start, stop), self.processes.part(start, stop)) for start, stop in pairwise(edges)
        ]

    def own(self, total: int) -> npt.NDArray[np.int64]:
        """Return the positions in the batch of all images that this process computes."""
        parts = [np.arange(piece.own.start, piece.own.stop) for piece in self.pieces(total)]
        return np.concatenate(parts).astype(np.int64)

"""Batches of pairs or triplets as listed by a plan."""

import numpy as np

from facenet.errors import DataInvalid
from facenet.mining.offline import Indices


class ListedPlan:
    """Pairs or triplets, shuffled in every epoch; the images of each are in the same batch.

    An incomplete last batch is dropped.

    Args:
        groups: (G, 2) left and right, or (G, 3) anchor, positive and negative, int64.
        batch_size: images per batch, that is batch_size // 2 or // 3 groups, at least one.
        seed: of the order.
        distinct: include an image that several groups of a batch share once, for losses that form groups
            themselves; otherwise the images of each group are consecutive.

    Raises:
        DataInvalid: there are no groups.
    """

    def __init__(self, groups: Indices, *, batch_size: int, seed: int, distinct: bool = False) -> None:
        if not len(groups):
            raise DataInvalid(
                "The plan has no pair or triplet of training people. It needs at least two people, one of "
                "them with two photos. Add photos in ingest.sources."
            )
        self._groups, self._seed, self._distinct = groups, seed, distinct
        self._rows: int = min(max(1, batch_size // groups.shape[1]), len(groups))

    def __len__(self) -> int:
        return len(self._groups) // self._rows

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`, each the images of its groups in order."""
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._groups))
        batches = self._groups[order[: len(self) * self._rows]].reshape(len(self), -1)
        return [np.unique(batch) for batch in batches] if self._distinct else list(batches)

"""Batches of pairs or triplets that are trained on as they were listed."""

import numpy as np

from facenet.errors import DataInvalid
from facenet.mining.offline import Indices


class ListedPlan:
    """Pairs or triplets, shuffled in every epoch; the images of each stand side by side in the batch.

    What fills no batch is left out of the epoch.

    Args:
        groups: (G, 2) left and right, or (G, 3) anchor, positive and negative, int64.
        batch_size: images in a batch; it holds batch_size // 2 or // 3 groups, at least one.
        seed: of the order.

    Raises:
        DataInvalid: there are no groups.
    """

    def __init__(self, groups: Indices, *, batch_size: int, seed: int) -> None:
        if not len(groups):
            raise DataInvalid(
                "The plan has no pair or triplet of training people: at least two people, one of them with "
                "two photos, are needed. Add photos in ingest.sources."
            )
        self._groups, self._seed = groups, seed
        self._rows: int = min(max(1, batch_size // groups.shape[1]), len(groups))

    def __len__(self) -> int:
        return len(self._groups) // self._rows

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`, each the images of its first group, of its second and so on."""
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._groups))
        groups = self._groups[order[: len(self) * self._rows]]
        return list(groups.reshape(len(self), -1))

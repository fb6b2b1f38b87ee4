"""Triplets that are mined before each epoch with the network of that moment, and the batches they make."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from facenet.mining.listed import ListedPlan
from facenet.mining.offline import Embeddings, Indices, PositivePairs, remine


class Embed(Protocol):
    """How photos become embeddings while the network is still trained."""

    def __call__(self, rows: Indices, *, training: bool) -> Embeddings:
        """Return (M, E) embeddings of (M,) rows of the data set, with the network in the given mode."""


class Miner(Protocol):
    """Finds the triplets of an epoch: a function of its number and of the embeddings."""

    @property
    def labels(self) -> Indices:
        """The person (N,) of each image."""

    @property
    def margin(self) -> float:
        """In squared distance."""

    def __len__(self) -> int:
        """Return the most triplets that an epoch can have."""

    def triplets(self, number: int, embed: Embed) -> Indices:
        """Return the triplets (T, 3) of epoch `number`, as rows of the data set; T may be 0."""


@dataclass(frozen=True, kw_only=True)
class WholeSetMiner:
    """Embeds all images, and gives every anchor-positive pair a semi-hard negative: see `remine`.

    labels: (N,) person of each image. margin: in squared distance. max_rows: pairs of an epoch at most.
    seed: of the sample of pairs, the negatives and the order.
    """

    labels: Indices
    margin: float
    max_rows: int
    seed: int

    def __len__(self) -> int:
        return min(len(PositivePairs(self.labels)), self.max_rows)

    def triplets(self, number: int, embed: Embed) -> Indices:
        """Return the triplets (T, 3) of epoch `number`; T may be 0."""
        embeddings = embed(np.arange(len(self.labels), dtype=np.int64), training=False)
        rng = np.random.default_rng([self.seed, number])
        return remine(embeddings, self.labels, margin=self.margin, max_rows=self.max_rows, rng=rng)


class MinedPlan:
    """Batches of the triplets that `mine` found for an epoch; their number differs from epoch to epoch.

    Args:
        miner: finds them.
        batch_size: images in a batch, see ListedPlan.
        seed: of the order.
        distinct: see ListedPlan.
        least: batches with fewer images are left out: as many as there are processes to share one.

    Attributes:
        epoch: the one that was mined last; 0 before the first.
        triplets: those of that epoch, (T, 3) int64.
    """

    def __init__(
        self, miner: Miner, *, batch_size: int, seed: int, distinct: bool = False, least: int = 1
    ) -> None:
        self.miner, self.epoch = miner, 0
        self.triplets: Indices = np.empty((0, 3), dtype=np.int64)
        self._batch_size, self._seed, self._distinct, self._least = batch_size, seed, distinct, least

    def __len__(self) -> int:
        """Return the most batches that an epoch can have, at least 1."""
        return max(1, len(self.miner) // max(1, self._batch_size // 3))

    def mine(self, epoch: int, embed: Embed) -> None:
        """Replace the triplets by those of `epoch`."""
        self.set(epoch, self.miner.triplets(epoch, embed))

    def set(self, epoch: int, triplets: Indices) -> None:
        """Replace the triplets by (T, 3) that were mined for `epoch` before."""
        self.epoch, self.triplets = epoch, triplets

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`, none if it has no triplet.

        Raises:
            ValueError: another epoch was mined last.
        """
        if epoch != self.epoch:
            raise ValueError(f"epoch {epoch} was not mined, the last one was {self.epoch}")
        if not len(self.triplets):
            return []
        listed = ListedPlan(
            self.triplets, batch_size=self._batch_size, seed=self._seed, distinct=self._distinct
        )
        return [batch for batch in listed.batches(epoch) if len(batch) >= self._least]

"""Triplets mined before each epoch with the current network, and their batches."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from facenet.mining.listed import ListedPlan
from facenet.mining.offline import Embeddings, Indices, PositivePairs, remine


class Embed(Protocol):
    """Embeds photos with the network in training."""

    def __call__(self, rows: Indices, *, training: bool) -> Embeddings:
        """Return (M, E) embeddings of (M,) rows of the data set, with the network in the given mode."""


class Miner(Protocol):
    """Finds the triplets of an epoch, as a function of its number and the embeddings."""

    @property
    def labels(self) -> Indices:
        """The person (N,) of each image."""

    @property
    def margin(self) -> float:
        """In squared distance."""

    def __len__(self) -> int:
        """Return the maximum number of triplets in an epoch."""

    def triplets(self, number: int, embed: Embed) -> Indices:
        """Return the triplets (T, 3) of epoch `number`, as rows of the data set; T may be 0."""


@dataclass(frozen=True, kw_only=True)
class WholeSetMiner:
    """Embeds all images and finds a semi-hard negative for every anchor-positive pair: see `remine`.

    labels: (N,) person of each image. margin: in squared distance. max_rows: maximum number of pairs.
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
    """Batches of the triplets that `mine` finds for an epoch; their number varies between epochs.

    Args:
        miner: finds the triplets.
        batch_size: images per batch, see ListedPlan.
        seed: of the order.
        distinct: see ListedPlan.
        least: batches with fewer images are dropped; the number of processes that share a batch.

    Attributes:
        epoch: the last mined one; 0 before the first.
        triplets: of that epoch, (T, 3) int64.
    """

    def __init__(
        self, miner: Miner, *, batch_size: int, seed: int, distinct: bool = False, least: int = 1
    ) -> None:
        self.miner, self.epoch = miner, 0
        self.triplets: Indices = np.empty((0, 3), dtype=np.int64)
        self._batch_size, self._seed, self._distinct, self._least = batch_size, seed, distinct, least

    def __len__(self) -> int:
        """Return the maximum number of batches in an epoch, at least 1."""
        return max(1, len(self.miner) // max(1, self._batch_size // 3))

    def mine(self, epoch: int, embed: Embed) -> None:
        """Replace the triplets by those of `epoch`."""
        self.set(epoch, self.miner.triplets(epoch, embed))

    def set(self, epoch: int, triplets: Indices) -> None:
        """Replace the triplets by (T, 3) that were mined for `epoch` earlier."""
        self.epoch, self.triplets = epoch, triplets

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`; there are none without triplets.

        Raises:
            ValueError: `epoch` is not the last mined one.
        """
        if epoch != self.epoch:
            raise ValueError(f"epoch {epoch} was not mined; the last mined epoch is {self.epoch}")
        if not len(self.triplets):
            return []
        listed = ListedPlan(
            self.triplets, batch_size=self._batch_size, seed=self._seed, distinct=self._distinct
        )
        return [batch for batch in listed.batches(epoch) if len(batch) >= self._least]

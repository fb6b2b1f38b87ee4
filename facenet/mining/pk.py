"""Batches of P people with K photos each, so that every batch has triplets.

Source: Hermans et al. 2017, arXiv 1703.07737.
"""

import numpy as np
import numpy.typing as npt

from facenet.errors import DataInvalid

Indices = npt.NDArray[np.int64]


class PKPlan:
    """The batches of every epoch: a pure function of labels, sizes, seed and epoch.

    People take turns: all of them in random order, P at a time, then all again in another order, until as
    many photos have come as there are. So every person comes equally often (who fills no batch waits
    for the next turn), and a run can go on at any batch of any epoch.

    A person's photos are dealt in random order, and again from the start when they are used up. Who has fewer
    than K photos therefore shows each at least once and some again in a batch; who has a single photo has no
    positive pair and is skipped.

    Args:
        labels: (N,) int64 person of each image.
        people: P, people in a batch, at least 2.
        images: K, images of each, at least 2.
        seed: of the order.

    Attributes:
        skipped: people with a single photo.
        repeated: people with two photos or more, but fewer than K.

    Raises:
        DataInvalid: fewer than P people have two photos.
    """

    def __init__(self, labels: Indices, *, people: int, images: int, seed: int) -> None:
        order = np.argsort(labels, kind="stable").astype(np.int64)
        _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        usable = counts >= 2
        self.skipped = int((~usable).sum())
        self.repeated = int((usable & (counts < images)).sum())
        if usable.sum() < people:
            raise DataInvalid(
                f"Plan pk wants {people} people in a batch, and {usable.sum()} have two photos to train on. "
                "Lower triplets.people_per_batch or add photos in ingest.sources."
            )
        self._order, self._sorted_labels = order, labels[order]
        self._starts, self._counts = starts[usable], counts[usable]
        self._people, self._images, self._seed = people, images, seed

    def __len__(self) -> int:
        """Return the number of batches in an epoch, at least 1."""
        return max(1, int(self._counts.sum()) // (self._people * self._images))

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`, each P x K image numbers, the K of a person side by side."""
        random = np.random.default_rng([self._seed, epoch])
        dealt = self._shuffled_rows(random)
        per_turn = len(self._counts) // self._people
        turns = -(-len(self) // per_turn)
        batches = [batch for turn in range(turns) for batch in self._turn(turn, dealt, random)]
        return batches[: len(self)]

    def _shuffled_rows(self, random: np.random.Generator) -> Indices:
        """Return the rows by person as in `_order`, each person's photos in random order."""
        keys = random.random(len(self._order))
        return self._order[np.lexsort((keys, self._sorted_labels))]

    def _turn(self, turn: int, dealt: Indices, random: np.random.Generator) -> list[Indices]:
        """Return the batches in which everyone comes once, up to P - 1 people who wait."""
        full = len(self._counts) // self._people * self._people
        person = random.permutation(len(self._counts))[:full, None]
        photo = (turn * self._images + np.arange(self._images)) % self._counts[person]
        rows = dealt[self._starts[person] + photo]
        return list(rows.reshape(-1, self._people * self._images))

"""Batches of P people with K photos each, so that every batch contains triplets.

Source: Hermans et al. 2017, arXiv 1703.07737.
"""

import numpy as np
import numpy.typing as npt

from facenet.errors import DataInvalid

Indices = npt.NDArray[np.int64]


class PKPlan:
    """The batches of every epoch, a pure function of labels, P, K, seed and epoch.

    An epoch consists of rounds: in each, all people are taken in random order, P per batch, until the epoch
    has as many photos as the data set. So every person occurs equally often (up to P - 1 people are dropped
    from a round), and a run can resume at any batch of any epoch.

    A person's photos are used in random order, starting over when they run out. A person with fewer than K
    photos therefore repeats some of them in a batch; one with a single photo has no positive pair and is
    skipped.

    Args:
        labels: (N,) int64 person of each image.
        people: P, people per batch, at least 2.
        images: K, images per person, at least 2.
        seed: of the order.

    Attributes:
        skipped: number of people with a single photo.
        repeated: number of people with at least two photos, but fewer than K.

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
                f"Plan pk needs {people} people per batch, but only {usable.sum()} have two training photos. "
                "Lower triplets.people_per_batch or add photos in ingest.sources."
            )
        self._order, self._sorted_labels = order, labels[order]
        self._starts, self._counts = starts[usable], counts[usable]
        self._people, self._images, self._seed = people, images, seed

    def __len__(self) -> int:
        """Return the number of batches in an epoch, at least 1."""
        return max(1, int(self._counts.sum()) // (self._people * self._images))

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`, each P x K image numbers, the K of a person consecutive."""
        random = np.random.default_rng([self._seed, epoch])
        shuffled = self._shuffled_rows(random)
        per_round = len(self._counts) // self._people
        rounds = -(-len(self) // per_round)
        batches = [batch for number in range(rounds) for batch in self._round(number, shuffled, random)]
        return batches[: len(self)]

    def _shuffled_rows(self, random: np.random.Generator) -> Indices:
        """Return the rows in the order of people in `_order`, with each person's photos shuffled."""
        keys = random.random(len(self._order))
        return self._order[np.lexsort((keys, self._sorted_labels))]

    def _round(self, number: int, shuffled: Indices, random: np.random.Generator) -> list[Indices]:
        """Return the batches of a round, in which every person occurs once, except up to P - 1 people."""
        full = len(self._counts) // self._people * self._people
        person = random.permutation(len(self._counts))[:full, None]
        photo = (number * self._images + np.arange(self._images)) % self._counts[person]
        rows = shuffled[self._starts[person] + photo]
        return list(rows.reshape(-1, self._people * self._images))

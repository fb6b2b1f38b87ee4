"""Which images form a batch: a pure function of seed, epoch and batch, so that a run can resume anywhere.

A plan refers to images by their number, 0 to N - 1, in the training set.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from facenet.errors import DataInvalid

Indices = npt.NDArray[np.int64]


class Plan(Protocol):
    """The batches of every epoch."""

    def __len__(self) -> int:
        """Return the number of batches in an epoch, at least 1."""

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`, each the numbers of its images."""


class FixedLengthPlan:
    """A plan whose epochs all have `steps` batches, whatever the size of the data set.

    The epochs of `plan` follow one another and are cut into pieces of `steps` batches, so that each of its
    batches occurs as often as before. davidsandberg/facenet calls `steps` epoch_size.

    Args:
        plan: has the same number of batches in every epoch.
        steps: batches per epoch.
    """

    def __init__(self, plan: Plan, steps: int) -> None:
        self._plan, self._steps = plan, steps

    def __len__(self) -> int:
        return self._steps

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`."""
        first, stop, length = (epoch - 1) * self._steps, epoch * self._steps, len(self._plan)
        rounds = range(first // length, (stop - 1) // length + 1)
        batches = [batch for number in rounds for batch in self._plan.batches(number + 1)]
        return batches[first - rounds.start * length :][: self._steps]


class ImagePlan:
    """Single images, with the frequency of each person set by `balance`.

    An image is drawn with weight n**-balance, where n is the number of images of its person: with 0 every
    image occurs once per epoch, with 1 every person occurs equally often. Sampling is systematic (Madow
    1949): an image with expectation 2.3 occurs 2 or 3 times, so that epochs vary as little as possible. An
    incomplete last batch is dropped; a set smaller than a batch forms one small batch.

    Args:
        labels: (N,) int64 class of each image.
        batch_size: images in a batch.
        balance: exponent, 0 to 1.
        seed: of the order.

    Raises:
        DataInvalid: there are fewer than two images, too few for batch norm.
    """

    def __init__(self, labels: Indices, *, batch_size: int, balance: float, seed: int) -> None:
        if len(labels) < 2:
            raise DataInvalid(
                f"Training needs at least 2 images, and {len(labels)} are left. See reports/triplets.json "
                "and lower triplets.min_images or triplets.validation_fraction."
            )
        counts = np.bincount(labels)
        self._weights = counts[labels].astype(np.float64) ** -balance
        self._batch_size, self._seed = min(batch_size, len(labels)), seed

    def __len__(self) -> int:
        return len(self._weights) // self._batch_size

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of `epoch`."""
        random = np.random.default_rng([self._seed, epoch])
        order = random.permutation(len(self._weights))
        drawn = len(self) * self._batch_size
        ends = np.cumsum(self._weights[order])
        marks = (random.random() + np.arange(drawn)) * (ends[-1] / drawn)
        places = np.minimum(np.searchsorted(ends, marks, side="right"), len(order) - 1)
        return np.split(random.permutation(order[places]), len(self))

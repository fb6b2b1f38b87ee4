"""Training batches from Arrow files of encoded faces."""

import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader, Dataset

from facenet.images import decode
from facenet.training.augmentation import Augmentation
from facenet.training.colour import Pixels
from facenet.training.division import Division
from facenet.training.sampling import Indices, Plan

KEEP_BYTES = 2 * 2**30  # limit for caching decoded faces in memory
Batch = tuple[torch.Tensor, torch.Tensor]


class BatchIndex(NamedTuple):
    """A batch: its epoch, from 1, its number in the epoch, from 0, and the numbers of its images."""

    epoch: int
    number: int
    indices: Indices


class FaceTable:
    """Square faces of one size, from the column `image` of Arrow files, decoded on access.

    Each process memory-maps the files itself.

    Args:
        paths: the files; rows are numbered through them in this order.
        keep: cache decoded faces in memory.
    """

    def __init__(self, paths: Sequence[Path], *, keep: bool = False) -> None:
        self.paths, self.keep = list(paths), keep
        tables = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in self.paths]
        self._chunks: list[Any] = [chunk for table in tables for chunk in table.column("image").chunks]
        self._ends = np.cumsum([len(chunk) for chunk in self._chunks])
        self._cache: Pixels | None = None
        self._cached_rows = np.zeros(len(self), bool)

    def __reduce__(self) -> tuple[type["FaceTable"], tuple[list[Path]]]:
        return FaceTable, (self.paths,)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def side(self) -> int:
        """Return the side of the faces in pixels."""
        return len(self._decode(0))

    def __getitem__(self, rows: Indices) -> Pixels:
        """Return the (N, S, S, 3) uint8 faces of N row numbers."""
        if not len(rows):
            return np.empty((0, self.side(), self.side(), 3), np.uint8)
        if not self.keep:
            return np.stack([self._decode(row) for row in rows])
        if self._cache is None:
            side = self.side()
            self._cache = np.empty(
                (len(self), side, side, 3), np.uint8
            )  # memory is allocated as rows are written
        for row in np.unique(rows[~self._cached_rows[rows]]):
            self._cache[row] = self._decode(row)
            self._cached_rows[row] = True
        return self._cache[rows]

    def _decode(self, row: int) -> Pixels:
        chunk = int(np.searchsorted(self._ends, row, side="right"))
        start = self._ends[chunk] - len(self._chunks[chunk])
        return decode(self._chunks[chunk][int(row - start)].as_py())


class TrainingSet(Dataset[Batch]):
    """The batch of each BatchIndex, the same in whichever process it is built.

    Args:
        table: the faces.
        rows: (N,) int64 row in `table` of each training image.
        labels: (N,) int64 class of each image.
        augmentation: of the images; its draws depend on seed, epoch, batch number and position in the batch,
            not on the process.
        division: which images of a batch this process loads.
    """

    def __init__(
        self,
        table: FaceTable,
        rows: Indices,
        labels: Indices,
        *,
        augmentation: Augmentation,
        seed: int,
        division: Division | None = None,
    ) -> None:
        self.table, self.rows, self.labels = table, rows, labels
        self.augmentation, self.seed = augmentation, seed
        self.division = division or Division()

    def __getitem__(self, place: BatchIndex) -> Batch:
        """Return the images of this process, (M, S, S, 3) uint8, and all labels of the batch, (N,) int64."""
        return self._make(place, self.division.own(len(place.indices)))

    def whole(self, place: BatchIndex) -> Batch:
        """Return all images (N, S, S, 3) uint8 and labels (N,) int64 of a batch."""
        return self._make(place, np.arange(len(place.indices)))

    def _make(self, place: BatchIndex, own: Indices) -> Batch:
        epoch, number, indices = place
        faces = self.table[self.rows[indices[own]]]
        random = np.random.default_rng([self.seed, epoch, number])
        draws = self.augmentation.draw(len(indices), faces.shape[1:3], random)
        images = self.augmentation.apply(faces, draws[own])
        return torch.from_numpy(images), torch.from_numpy(self.labels[indices])


class Loader:
    """Batches of an epoch, starting anywhere, prefetched by `workers` processes or, with 0, loaded here.

    The plan stays in this process, because it may change from epoch to epoch; workers receive the image
    numbers of each batch.

    Args:
        dataset: loads the batches.
        plan: which images form a batch.
    """

    def __init__(
        self, dataset: TrainingSet, plan: Plan, *, workers: int = 0, pin_memory: bool = False
    ) -> None:
        self.dataset, self.plan = dataset, plan
        self._places: list[BatchIndex] = []
        self._loader = DataLoader(
            dataset,
            batch_size=None,
            sampler=self._places,
            num_workers=workers,
            pin_memory=pin_memory,
            persistent_workers=workers > 0,
            # fork would copy locks that threads of this process may hold
            multiprocessing_context=multiprocessing.get_context("spawn") if workers else None,
            # the default would draw from the generator that dropout uses
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        return len(self.plan)

    def batch_indices(self, epoch: int) -> list[BatchIndex]:
        """Return the index of every batch of `epoch`."""
        return [BatchIndex(epoch, number, indices) for number, indices in enumerate(self.plan.batches(epoch))]

    def load(self, places: Sequence[BatchIndex]) -> Iterator[Batch]:
        """Return the batches at `places`."""
        self._places[:] = places
        return iter(self._loader)


def loader_settings(table: FaceTable, device: torch.device, cores: int) -> tuple[bool, int]:
    """Return whether to cache decoded faces in memory, and the number of worker processes.

    Training on a CPU leaves no time for workers, and needs none once the faces are decoded. A GPU consumes
    more faces than one process can load.
    """
    fits = len(table) * 3 * table.side() ** 2 <= KEEP_BYTES
    if device.type == "cpu" and fits:
        return True, 0
    return False, max(1, min(8, cores - 1))

"""Training batches out of Arrow files of encoded faces."""

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

KEEP_BYTES = 2 * 2**30  # decoded faces are kept in memory up to here
Batch = tuple[torch.Tensor, torch.Tensor]


class BatchIndex(NamedTuple):
    """Which batch: its epoch, from 1, its number in the epoch, from 0, and the numbers of its images."""

    epoch: int
    number: int
    indices: Indices


class FaceTable:
    """Square faces of one size, in the column `image` of Arrow files, decoded when they are asked for.

    The files are memory-mapped, by each process for itself.

    Args:
        paths: the files; a row's number counts through them in this order.
        keep: hold decoded faces in memory once they were asked for.
    """

    def __init__(self, paths: Sequence[Path], *, keep: bool = False) -> None:
        self.paths, self.keep = list(paths), keep
        tables = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in self.paths]
        self._chunks: list[Any] = [chunk for table in tables for chunk in table.column("image").chunks]
        self._ends = np.cumsum([len(chunk) for chunk in self._chunks])
        self._kept: Pixels | None = None
        self._known = np.zeros(len(self), bool)

    def __reduce__(self) -> tuple[type["FaceTable"], tuple[list[Path]]]:
        return FaceTable, (self.paths,)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def side(self) -> int:
        """Return the side of the faces in pixels."""
        return len(self._decode(0))

    def __getitem__(self, rows: Indices) -> Pixels:
        """Return the (N, S, S, 3) uint8 faces of N row numbers."""
        if not self.keep:
            return np.stack([self._decode(row) for row in rows])
        if self._kept is None:
            side = self.side()
            self._kept = np.empty((len(self), side, side, 3), np.uint8)  # pages appear as they are written
        for row in np.unique(rows[~self._known[rows]]):
            self._kept[row] = self._decode(row)
            self._known[row] = True
        return self._kept[rows]

    def _decode(self, row: int) -> Pixels:
        chunk = int(np.searchsorted(self._ends, row, side="right"))
        start = self._ends[chunk] - len(self._chunks[chunk])
        return decode(self._chunks[chunk][int(row - start)].as_py())


class TrainingSet(Dataset[Batch]):
    """The batch of each place, the same in whichever process it is made.

    Args:
        table: the faces.
        rows: (N,) int64 row in `table` of each training image.
        labels: (N,) int64 its class.
        augmentation: what happens to them; its draws derive from seed, epoch and number, and from the place
            of an image in the batch, whichever process makes it.
        division: which images of a batch this process makes.
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
        """Return own images (M, S, S, 3) uint8 and all labels (N,) int64; alone, a process owns all N."""
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
    """Batches of an epoch, from any batch on, made ahead by `workers` processes or, with 0, in this one.

    The plan stays in this process, since what it says may change from epoch to epoch; workers are told the
    images of each batch.

    Args:
        dataset: makes the batches.
        plan: which images make a batch.
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
            # fork would copy the threads' locks of this process in whatever state they are
            multiprocessing_context=multiprocessing.get_context("spawn") if workers else None,
            # else the loader would draw from the generator that dropout uses
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        return len(self.plan)

    def places(self, epoch: int) -> list[BatchIndex]:
        """Return the places of all batches of `epoch`."""
        return [BatchIndex(epoch, number, indices) for number, indices in enumerate(self.plan.batches(epoch))]

    def load(self, places: Sequence[BatchIndex]) -> Iterator[Batch]:
        """Return the batches of `places`."""
        self._places[:] = places
        return iter(self._loader)


def loader_settings(table: FaceTable, device: torch.device, cores: int) -> tuple[bool, int]:
    """Return whether to keep decoded faces in memory, and the number of worker processes.

    A CPU that trains has no time to spare for workers, and needs none once the faces are decoded. A GPU eats
    more faces than one process can make.
    """
    fits = len(table) * 3 * table.side() ** 2 <= KEEP_BYTES
    if device.type == "cpu" and fits:
        return True, 0
    return False, max(1, min(8, cores - 1))

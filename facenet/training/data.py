"""Training batches out of Arrow files of encoded faces."""

import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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
    """The batch of each (epoch, number), the same in whichever process it is made.

    Args:
        table: the faces.
        rows: (N,) int64 row in `table` of each training image.
        labels: (N,) int64 its class.
        plan: which images make a batch.
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
        plan: Plan,
        augmentation: Augmentation,
        seed: int,
        division: Division | None = None,
    ) -> None:
        self.table, self.rows, self.labels = table, rows, labels
        self.plan, self.augmentation, self.seed = plan, augmentation, seed
        self.division = division or Division()
        self._epoch, self._batches = 0, list[Indices]()

    def __getitem__(self, place: tuple[int, int]) -> Batch:
        """Return own images (M, S, S, 3) uint8 and all labels (N,) int64; alone, a process owns all N."""
        indices = self._indices(*place)
        return self._make(indices, self.division.own(len(indices)), place)

    def whole(self, epoch: int, number: int) -> Batch:
        """Return all images (N, S, S, 3) uint8 and labels (N,) int64 of a batch."""
        indices = self._indices(epoch, number)
        return self._make(indices, np.arange(len(indices)), (epoch, number))

    def _indices(self, epoch: int, number: int) -> Indices:
        if self._epoch != epoch:
            self._epoch, self._batches = epoch, self.plan.batches(epoch)
        return self._batches[number]

    def _make(self, indices: Indices, own: Indices, place: tuple[int, int]) -> Batch:
        faces = self.table[self.rows[indices[own]]]
        random = np.random.default_rng([self.seed, *place])
        draws = self.augmentation.draw(len(indices), faces.shape[1:3], random)
        images = self.augmentation.apply(faces, draws[own])
        return torch.from_numpy(images), torch.from_numpy(self.labels[indices])


class Loader:
    """Batches of an epoch, from any batch on, made ahead by `workers` processes or, with 0, in this one."""

    def __init__(self, dataset: TrainingSet, *, workers: int = 0, pin_memory: bool = False) -> None:
        self.dataset = dataset
        self._places: list[tuple[int, int]] = []
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
        return len(self.dataset.plan)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Return the batches of `epoch` from number `start` on."""
        self._places[:] = [(epoch, number) for number in range(start, len(self))]
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

"""Groups of LFW people, and the false accept rates among all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.identify_faces import Faces
from facenet.evaluation.distances import Metric, cross_distances

Rows = npt.NDArray[np.int64]
BLOCK = 512  # photos whose distances to all others are in memory at once


@dataclass(frozen=True)
class Group:
    """rows: (M,) of photos, of several people. owners: (M,) the person of each."""

    rows: Rows
    owners: Rows


class Population:
    """The people with at least `least` photos, of whom at most `most` are used, and everybody with one.

    Attributes:
        able: rows of the used photos by person, of the people with enough.
    """

    def __init__(self, faces: Faces, metric: Metric, least: int, most: int | None) -> None:
        self._most = most
        codes = np.unique(faces.names, return_inverse=True)[1]
        order = np.argsort(codes, kind="stable")
        rows = np.split(order, np.cumsum(np.bincount(codes))[:-1])
        self.able = {code: found for code, found in enumerate(rows) if len(found) >= least}
        used = np.concatenate([found[:most] for found in self.able.values()])
        first = np.array([found[0] for found in rows])
        self._others = {
            "able_photos": AllPairs(faces.templates[used], codes[used], metric),
            "everybody_once": AllPairs(faces.templates[first], codes[first], metric),
        }

    def draw(self, people: int, random: np.random.Generator) -> tuple[Group, Group]:
        """Return two groups of as many able people, without anybody in common."""
        shuffled = random.permutation(sorted(self.able))
        return self._group(shuffled[:people], random), self._group(shuffled[people : 2 * people], random)

    def rates(self, threshold: float, without: Group) -> dict[str, float]:
        """Return the FAR of all able people's photos, and of everybody's first ones, without a group."""
        return {name: pairs.rate(threshold, without.owners) for name, pairs in self._others.items()}

    def _group(self, people: Sequence[int], random: np.random.Generator) -> Group:
        chosen = [random.permutation(self.able[person])[: self._most] for person in people]
        return Group(np.concatenate(chosen), np.repeat(people, [len(rows) for rows in chosen]))


class AllPairs:
    """The distances of all pairs of photos of two people; owners: (M,) of the (M, D) templates."""

    def __init__(self, templates: npt.NDArray[np.float32], owners: Rows, metric: Metric) -> None:
        self._templates, self._owners, self._metric = templates, owners, metric
        parts = []
        for start in range(0, len(owners), BLOCK):
            block = cross_distances(templates[start : start + BLOCK], templates[start:], metric)
            later = np.arange(block.shape[1])[None] > np.arange(block.shape[0])[:, None]
            different = owners[start:][None] != owners[start : start + BLOCK][:, None]
            parts.append(block[later & different].astype(np.float32))
        self._sorted = np.sort(np.concatenate(parts))

    def rate(self, threshold: float, without: Rows) -> float:
        """Return the fraction of the pairs below a threshold, without the pairs of some owners."""
        out = np.isin(self._owners, without)
        distances = cross_distances(self._templates[out], self._templates, self._metric).astype(np.float32)
        different = self._owners[out][:, None] != self._owners[None]
        once = np.where(out, 0.5, 1.0)[None] * different  # pairs within the group are there twice
        accepted = int(np.searchsorted(self._sorted, np.float32(threshold))) - float(
            once[distances < threshold].sum()
        )
        return accepted / (len(self._sorted) - float(once.sum()))

"""Errors planted into the names of LFW's photos, for `benchmarks.audit`."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MOVED = 0.02  # fraction of the photos in folders with at least PHOTOS
PHOTOS = 4
SPLIT, SPLIT_PHOTOS = 20, 6  # people, who have at least so many photos
MERGED = 20  # pairs of people with at least PHOTOS
OTHER = " (2)"  # ends the name of the second folder of a person


@dataclass(frozen=True, eq=False)
class Noise:
    """Names with errors.

    names: (N,). moved: rows with another person's name. split: pairs of folders of one person. merged:
    folders of two people. folders_of: the folders that a person's photos belong to.
    """

    names: npt.NDArray[np.str_]
    moved: npt.NDArray[np.int64]
    split: list[tuple[str, str]]
    merged: list[str]
    folders_of: dict[str, set[str]]


def plant(names: npt.NDArray[np.str_], rng: np.random.Generator) -> Noise:
    """Return names (N,) with errors of each kind; a person is split or merged, not both.

    Photos are moved last, out of folders that still have several: nobody could tell that two photos and three
    are one person.
    """
    people, counts = np.unique(names, return_counts=True)
    several = people[counts >= PHOTOS]
    split = rng.choice(people[counts >= SPLIT_PHOTOS], SPLIT, replace=False)
    merged = rng.choice(np.setdiff1d(several, split), (MERGED, 2), replace=False)
    folders = {str(person): {str(person)} for person in people}
    planted = names.astype(object)
    for person in split:
        rows = rng.permutation(np.flatnonzero(names == person))
        planted[rows[: len(rows) // 2]] = person + OTHER
        folders[str(person)].add(person + OTHER)
    for kept, gone in merged:
        planted[names == gone] = kept
        folders[str(gone)] = {str(kept)}
    folders_now, sizes = np.unique(planted.astype(str), return_counts=True)
    eligible = np.flatnonzero(np.isin(planted.astype(str), folders_now[sizes >= PHOTOS]))
    moved = np.sort(rng.choice(eligible, round(MOVED * len(eligible)), replace=False))
    targets = np.setdiff1d(several, merged[:, 1])  # the others have no folder of their own now
    for row in moved:
        others = [name for name in rng.permutation(targets) if name not in folders[str(names[row])]]
        planted[row] = others[0]
    pairs = [(str(person), str(person) + OTHER) for person in sorted(split)]
    return Noise(planted.astype(str), moved, pairs, sorted(map(str, merged[:, 0])), folders)

"""The choice of one enrolled photo and of probes of each evaluated person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats, Rows
from facenet.evaluation.thresholds import Flags

PROBES = 4000  # about; every person has at least one


@dataclass(frozen=True, kw_only=True)
class Probes:
    """P people with an enrolled photo each, and N probes.

    enrolled: (P,) row of the enrolled photo. rows: (N,) row of each probe. people: (N,) its person, 0 to
    P - 1. genuine: (N,) whether it is another photo than the enrolled one; people with a single photo are
    probes with it, for galleries without them. shares: (N,) weights, equal for all people; they sum to 1.
    """

    enrolled: Rows
    rows: Rows
    people: npt.NDArray[np.int64]
    genuine: Flags
    shares: Floats


def choose_probes(names: Sequence[str], seed: int, *, probes: int = PROBES) -> Probes:
    """Return a choice of photos; names: the person of each row.

    It depends on the seed and on the order of the rows of each person, not on the order of people.
    """
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    random, most = np.random.default_rng(seed), max(1, probes // max(1, len(rows)))
    enrolled: list[int] = []
    chosen: list[tuple[int, int, bool, float]] = []
    for person, name in enumerate(sorted(rows)):
        first, *others = (int(row) for row in random.permutation(rows[name]))
        enrolled.append(first)
        used = others[:most] or [first]
        chosen += [(row, person, bool(others), 1 / len(used) / len(rows)) for row in used]
    columns = zip(*chosen, strict=True) if chosen else ((),) * 4
    found, people, genuine, shares = columns
    return Probes(
        enrolled=np.array(enrolled, np.int64),
        rows=np.array(found, np.int64),
        people=np.array(people, np.int64),
        genuine=np.array(genuine, bool),
        shares=np.array(shares, np.float64),
    )

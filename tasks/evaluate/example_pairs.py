"""The pairs that plots show as examples: the worst errors, and a sample of the correct decisions."""

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats
from facenet.evaluation.protocol import Verification

SHOWN = 6  # pairs of each kind

Rows = list[int]  # of the usable pairs
Labels = npt.NDArray[np.bool_]


def worst_errors(result: Verification, same: Labels) -> tuple[Rows, Rows]:
    """Return the six worst false accepts and the six worst false rejects, the worst first."""
    excess = result.distances - result.thresholds
    accepts = _ordered(excess, ~same & _accepted(result))
    rejects = _ordered(excess, same & _rejected(result))[::-1]
    return accepts[:SHOWN], rejects[:SHOWN]


def correct_examples(result: Verification, same: Labels) -> tuple[Rows, Rows]:
    """Return six true accepts and six true rejects, by distance.

    They are at equal steps in all true accepts, or all true rejects, in the order of their distances, from
    the shortest to the longest.
    """
    accepts = _ordered(result.distances, same & _accepted(result))
    rejects = _ordered(result.distances, ~same & _rejected(result))
    return _sample(accepts), _sample(rejects)


def _accepted(result: Verification) -> Labels:
    """Return which pairs are accepted; those of fold -1 (NaN) are neither accepted nor rejected."""
    return np.asarray(result.distances < result.thresholds)


def _rejected(result: Verification) -> Labels:
    return np.asarray(result.distances >= result.thresholds)


def _ordered(values: Floats, chosen: Labels) -> Rows:
    """Return the chosen rows by value; equal values keep their order."""
    order = np.argsort(values, kind="stable")
    return [int(row) for row in order[chosen[order]]]


def _sample(rows: Rows) -> Rows:
    """Return six of the rows at equal steps, with the first and the last; all if there are fewer."""
    if len(rows) <= SHOWN:
        return rows
    return [rows[place * (len(rows) - 1) // (SHOWN - 1)] for place in range(SHOWN)]

"""The pairs that may choose a threshold: those of people the network was not trained on."""

import numpy as np
import numpy.typing as npt

from facenet.evaluation.thresholds import Flags

FEWEST = 25  # pairs per class needed to choose a threshold


def pairs_of_strangers(same: Flags, fold: npt.NDArray[np.int32], known: Flags) -> Flags | None:
    """Return which of P pairs remain without the fold -1 pairs of people trained on; None if too few would.

    A network separates the people it was trained on better than others, so a threshold chosen on them is too
    low for new people. Fewer than 25 pairs of a class are too few to choose one.

    Args:
        same: (P,) whether a pair shows the same person.
        fold: (P,) fold of each pair; pairs of fold -1 only choose thresholds.
        known: (P,) whether the network was trained on one of the two people.
    """
    choosing = (fold < 0) & ~known
    if min((same & choosing).sum(), (~same & choosing).sum()) < FEWEST:
        return None
    return choosing | (fold >= 0)

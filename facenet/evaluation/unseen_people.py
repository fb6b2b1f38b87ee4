"""Which pairs may choose a threshold: those of people whom the network has not seen in training."""

import numpy as np
import numpy.typing as npt

from facenet.evaluation.thresholds import Flags

FEWEST = 25  # pairs of each kind that a threshold can be taken from


def pairs_of_strangers(same: Flags, fold: npt.NDArray[np.int32], known: Flags) -> Flags | None:
    """Return (P,) which pairs stay when those of fold -1 go that show a known person; None if too few would.

    A network tells the people it has trained on apart better than any others: a threshold taken from them
    lies too low for strangers. Fewer than 25 pairs of a kind are too few to take one from.

    same: (P,) whether it is one person. fold: (P,); -1 only chooses thresholds. known: (P,) whether one of
        the two has trained.
    """
    choosing = (fold < 0) & ~known
    if min((same & choosing).sum(), (~same & choosing).sum()) < FEWEST:
        return None
    return choosing | (fold >= 0)

"""The rule that chooses the decision threshold from the training folds."""

from typing import Literal

import numpy as np

from facenet.evaluation.thresholds import Flags

ThresholdRule = Literal["max_accuracy", "equal_prior"]
BALANCED = 1 / 3  # minimum fraction of the rarer class at which maximum accuracy is fair to both classes


def threshold_rule(same: Flags, folds: np.ndarray) -> ThresholdRule:
    """Return the rule that fits the pairs.

    `max_accuracy`, the threshold with maximum accuracy on the other folds, is the LFW protocol; its folds
    have as many same as different pairs. View 1's threshold pairs without the people trained on are few and
    mostly different: the accuracy-maximising threshold would depend on single pairs. They use
    `equal_prior`, the distance at which Platt's sigmoid, with equal weight per class, is 0.5.

    Args:
        same: (P,) whether a pair shows the same person.
        folds: (P,) fold of each pair; pairs of fold -1 only choose the threshold.
    """
    choosing = same[folds < 0]
    if not len(choosing):
        return "max_accuracy"
    rarer = min(choosing.mean(), 1 - choosing.mean())
    return "max_accuracy" if rarer >= BALANCED else "equal_prior"

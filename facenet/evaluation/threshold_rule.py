"""How the threshold that decides whether a pair is one person is chosen from the training folds."""

from typing import Literal

import numpy as np

from facenet.evaluation.thresholds import Flags

ThresholdRule = Literal["max_accuracy", "equal_prior"]
BALANCED = 1 / 3  # least share of the rarer kind of pair, at which counting right decisions is fair to both


def threshold_rule(same: Flags, folds: np.ndarray) -> ThresholdRule:
    """Return how pairs choose their threshold.

    `max_accuracy`, the threshold with the most right decisions on the other folds, is what LFW's protocol
    does; its folds hold as many pairs of each kind. The threshold pairs of View 1 without the people who
    trained are few and mostly of different people: their most right decisions would move with a single pair.
    There it is `equal_prior`, where a match is as likely as not by Platt's sigmoid, both kinds weighed alike.

    Args:
        same: (P,) whether a pair is one person.
        folds: (P,) fold of each pair; -1 only chooses the threshold.
    """
    choosing = same[folds < 0]
    if not len(choosing):
        return "max_accuracy"
    rarer = min(choosing.mean(), 1 - choosing.mean())
    return "max_accuracy" if rarer >= BALANCED else "equal_prior"

"""How well people are found, and strangers turned away (ISO/IEC 19795-1: identification).

A score is larger the more alike; a face is taken for the person of its largest score, if that exceeds the
threshold. FPIR: share of strangers taken for somebody. TPIR: share of known people taken for themselves.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.evaluation.thresholds import ROUNDING, Floats
from facenet.evaluation.uncertainty import Interval, wilson_interval

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class OpenSet:
    """Strangers and known people at one threshold, with 95 % intervals for independent probes."""

    threshold: float
    strangers: int
    fpir: float
    fpir_interval: Interval
    probes: int
    tpir: float
    tpir_interval: Interval


def rank_rate(scores: Floats, labels: Labels, rank: int) -> float:
    """Return the share of (N, P) score rows whose own person, (N,), is among the `rank` largest.

    Of equal scores those of others come first: a system that cannot tell people apart gets nothing.
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    ahead = (scores >= own).sum(axis=1) - 1
    return float((ahead < rank).mean())


def rejection_threshold(scores: Floats, fpir: float) -> float:
    """Return a threshold that new strangers exceed with probability at most `fpir`, on average over samples.

    It is the k-th largest score of the N strangers seen, (N, P), with k = floor(fpir (N + 1)): where k is 0,
    N is too small for the rate and the threshold is infinite (split conformal prediction, Vovk 2005).
    """
    best = np.sort(scores.max(axis=1))[::-1]
    allowed = int(np.floor(fpir * (len(best) + 1) + ROUNDING))
    return float(best[min(allowed, len(best)) - 1]) if allowed else float("inf")


def open_set(known: Floats, labels: Labels, strangers: Floats, threshold: float) -> OpenSet:
    """Return the rates of known people's scores (N, P) with labels (N,), and of strangers' (M, P)."""
    taken = int((strangers.max(axis=1) > threshold).sum())
    found = int(((known.max(axis=1) > threshold) & (known.argmax(axis=1) == labels)).sum())
    return OpenSet(
        threshold=threshold,
        strangers=len(strangers),
        fpir=taken / len(strangers),
        fpir_interval=wilson_interval(taken, len(strangers)),
        probes=len(known),
        tpir=found / len(known),
        tpir_interval=wilson_interval(found, len(known)),
    )

"""Identification rates of enrolled and unknown people (ISO/IEC 19795-1).

Higher scores mean more similar. A probe is identified as the person with the highest score if that exceeds
the threshold. FPIR: fraction of probes of unknown people that are identified as anyone. TPIR: fraction of
probes of enrolled people that are identified correctly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.evaluation.thresholds import ROUNDING, Floats
from facenet.evaluation.uncertainty import Interval, wilson_interval

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class OpenSet:
    """FPIR and TPIR at one threshold, with 95 % intervals that count people as independent trials.

    strangers: probes of unknown people. probes: those of enrolled people.
    """

    threshold: float
    strangers: int
    fpir: float
    fpir_interval: Interval
    probes: int
    tpir: float
    tpir_interval: Interval


def rank_rate(scores: Floats, labels: Labels, rank: int) -> float:
    """Return the fraction of (N, P) score rows whose label, (N,), is among the `rank` highest scores.

    Ties count against the label: constant scores give 0.
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    ahead = (scores >= own).sum(axis=1) - 1
    return float((ahead < rank).mean())


def rejection_threshold(scores: Floats, fpir: float) -> float:
    """Return a threshold with an FPIR of at most `fpir` for new unknown people, on average over samples.

    It is the k-th largest score of N probes of unknown people, (N, P), with k = floor(fpir (N + 1)). If k is
    0, N is too small for the rate and the threshold is infinite (split conformal prediction, Vovk 2005).
    """
    best = np.sort(scores.max(axis=1))[::-1]
    allowed = int(np.floor(fpir * (len(best) + 1) + ROUNDING))
    return float(best[min(allowed, len(best)) - 1]) if allowed else float("inf")


def open_set(
    known: Floats, labels: Labels, strangers: Floats, threshold: float, *, unknown_people: int | None = None
) -> OpenSet:
    """Return the rates of enrolled and unknown people's probes at a threshold.

    Args:
        known: (N, P) scores of probes of enrolled people.
        labels: (N,) the person of each.
        strangers: (M, P) scores of probes of unknown people.
        threshold: of the scores.
        unknown_people: number of people in the M probes; None if each shows another one.
    """
    people = len(strangers) if unknown_people is None else unknown_people
    enrolled = len(np.unique(labels))
    accepted = int((strangers.max(axis=1) > threshold).sum())
    correct = int(((known.max(axis=1) > threshold) & (known.argmax(axis=1) == labels)).sum())
    return OpenSet(
        threshold=threshold,
        strangers=len(strangers),
        fpir=accepted / len(strangers),
        fpir_interval=wilson_interval(accepted / len(strangers) * people, people),
        probes=len(known),
        tpir=correct / len(known),
        tpir_interval=wilson_interval(correct / len(known) * enrolled, enrolled),
    )

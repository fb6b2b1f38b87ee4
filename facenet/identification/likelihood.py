"""The likelihood ratio of a distance, fitted so that the answers in galleries are likeliest.

The probability that `Identifier` gives to each enrolled photo, and to an unknown person, is a multinomial
logistic regression on the log likelihood ratio. Its slope and intercept maximise the likelihood of the truth
in random galleries of three sizes, half of the probes being of unknown people. Platt's sigmoid, which is
fitted to pairs one by one, is the start: it takes the distances to all people of a gallery for independent,
and on LFW its probabilities were too low among a thousand people (docs/decisions/0023-identification.md).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from facenet.evaluation.distances import Floats, Metric, cross_distances
from facenet.evaluation.sigmoid import Sigmoid
from facenet.evaluation.thresholds import Flags
from facenet.identification.probes import Probes

FRACTIONS = (2, 16, 128)  # of the people, enrolled: a half, ...
NEAREST = 64  # people of a gallery, whose likelihood ratios count
BLOCK = 256  # probes whose distances are in memory at once
PRIOR = 0.5  # of a probe being of an enrolled person
LARGEST = 60.0  # log likelihood ratio, in either direction


class _Trial(NamedTuple):
    """Probes in a gallery of `size` people, by their log likelihood ratios at the start.

    near: (N, K) of the nearest people, the probe's own last; -inf if it is not enrolled or among the others.
    own: (N,) of the probe's person; 0 if not enrolled. enrolled: (N,). weights: (N,), they sum to 1.
    """

    near: Floats
    own: Floats
    enrolled: Flags
    weights: Floats
    size: int


def fit_likelihood(
    rows: npt.NDArray[np.float32], probes: Probes, metric: Metric, start: Sigmoid, *, seed: int
) -> Sigmoid:
    """Return the log likelihood ratio of a distance, shrunk to `start` with the weight of one person.

    Args:
        rows: (M, D) templates.
        probes: the choice of enrolled photos and probes among them.
        metric: of the distance.
        start: Platt's sigmoid, with a positive slope.
        seed: of the galleries.
    """
    people = len(probes.enrolled)
    random = np.random.default_rng(seed)
    sizes = [people // fraction for fraction in FRACTIONS if people // fraction > 0]
    trials = [
        trial
        for size in sizes
        if (trial := _trial(rows, probes, metric, start, random.permutation(people)[:size])) is not None
    ]
    if not trials:
        return start

    def loss(at: Floats) -> tuple[float, Floats]:
        """Return the penalised cross entropy of (scale, shift) of the log ratios, and its gradient."""
        parts = [_cross_entropy(trial, float(at[0]), float(at[1])) for trial in trials]
        value, slope = np.mean([part[0] for part in parts]), np.mean([part[1] for part in parts], axis=0)
        away = at - np.array([1.0, 0.0])
        return float(value + (away @ away) / people), np.asarray(slope + 2 * away / people)

    scale, shift = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", tol=1e-8).x
    if scale <= 0:
        return start
    return Sigmoid(float(scale * start.slope), float(scale * start.intercept + shift))


def _trial(
    rows: npt.NDArray[np.float32],
    probes: Probes,
    metric: Metric,
    start: Sigmoid,
    people: npt.NDArray[np.int64],
) -> _Trial | None:
    """Return the trial in the gallery of `people`; None if no probe is enrolled, or all are."""
    places = np.full(len(probes.enrolled), -1)
    places[people] = np.arange(len(people))
    inside = places[probes.people] >= 0
    used = np.flatnonzero(~inside | probes.genuine)
    enrolled = inside[used]
    if enrolled.all() or not enrolled.any():
        return None
    near, own = [], []
    for block in (used[at : at + BLOCK] for at in range(0, len(used), BLOCK)):
        distances = cross_distances(rows[probes.rows[block]], rows[probes.enrolled[people]], metric)
        odds = start.intercept - start.slope * distances
        place, known = places[probes.people[block]], inside[block]
        own.append(np.where(known, odds[np.arange(len(block)), place], 0.0))
        odds[np.flatnonzero(known), place[known]] = -np.inf
        kept = min(NEAREST, odds.shape[1])
        nearest = np.partition(odds, -kept, axis=1)[:, -kept:]
        near.append(np.column_stack([nearest, np.where(known, own[-1], -np.inf)]))
    shares = probes.shares[used]
    totals = np.where(enrolled, shares[enrolled].sum() / PRIOR, shares[~enrolled].sum() / (1 - PRIOR))
    return _Trial(np.concatenate(near), np.concatenate(own), enrolled, shares / totals, len(people))


def _cross_entropy(trial: _Trial, scale: float, shift: float) -> tuple[float, Floats]:
    """Return the mean negative log probability of the truth, and its gradient by scale and shift."""
    present = np.isfinite(trial.near)
    first = np.where(present, trial.near, 0.0)
    odds = np.clip(scale * first + shift, -LARGEST, LARGEST)
    ratios = np.where(present, PRIOR / trial.size * np.exp(odds), 0.0)
    total = 1 - PRIOR + ratios.sum(axis=1)
    truth = np.where(
        trial.enrolled, np.log(PRIOR / trial.size) + scale * trial.own + shift, np.log(1 - PRIOR)
    )
    slopes = [
        np.where(trial.enrolled, trial.own, 0.0) - (ratios * first).sum(axis=1) / total,
        trial.enrolled - ratios.sum(axis=1) / total,
    ]
    gradient = np.array([-(trial.weights @ slope) for slope in slopes])
    return float(trial.weights @ (np.log(total) - truth)), gradient

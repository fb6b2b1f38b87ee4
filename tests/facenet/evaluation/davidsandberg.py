"""The evaluation of davidsandberg/facenet, as loops over folds, thresholds and pairs.

Written from a description of its behaviour; the oracle that `grid` must equal.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from facenet.evaluation.distances import Floats, Metric
from facenet.evaluation.protocol import PairRows
from facenet.evaluation.thresholds import Flags

THRESHOLDS, VAL_THRESHOLDS = np.arange(0, 4, 0.01), np.arange(0, 4, 0.001)


@dataclass(frozen=True)
class Rates:
    """True accept rate, false accept rate and accuracy."""

    true: float
    false: float
    accuracy: float


def evaluate(
    one: Floats, two: Floats, pairs: PairRows, metric: Metric, *, subtract_mean: bool, far: float
) -> dict[str, float]:
    """Return the metrics for the two (P, D) embeddings of each pair: first accuracy and ROC, then VAL."""
    names = np.unique(pairs.fold)
    accuracies, vals, fars = [], [], []
    tprs, fprs = np.zeros((len(names), len(THRESHOLDS))), np.zeros((len(names), len(THRESHOLDS)))
    for index, name in enumerate(names):
        test, train = pairs.fold == name, pairs.fold != name
        distance = distances(one, two, train, metric, subtract_mean)
        training = [rates(t, distance[train], pairs.same[train]).accuracy for t in THRESHOLDS]
        for place, t in enumerate(THRESHOLDS):
            found = rates(t, distance[test], pairs.same[test])
            tprs[index, place], fprs[index, place] = found.true, found.false
        best = THRESHOLDS[int(np.argmax(training))]
        accuracies.append(rates(best, distance[test], pairs.same[test]).accuracy)
    for name in names:
        test, train = pairs.fold == name, pairs.fold != name
        distance = distances(one, two, train, metric, subtract_mean)
        reached = np.array([rates(t, distance[train], pairs.same[train]).false for t in VAL_THRESHOLDS])
        found = rates(val_threshold(reached, far), distance[test], pairs.same[test])
        vals.append(found.true)
        fars.append(found.false)
    tpr, fpr = tprs.mean(axis=0), fprs.mean(axis=0)
    area = sum((fpr[i + 1] - fpr[i]) * (tpr[i + 1] + tpr[i]) / 2 for i in range(len(THRESHOLDS) - 1))
    eer = brentq(lambda x: 1 - x - interpolated(x, fpr, tpr), 0, 1, xtol=1e-14)
    return {
        "accuracy": float(np.mean(accuracies)),
        "accuracy_std": float(np.std(accuracies)),
        "val": float(np.mean(vals)),
        "val_std": float(np.std(vals)),
        "far": float(np.mean(fars)),
        "auc": float(area),
        "eer": float(eer),
    }


def distances(one: Floats, two: Floats, train: Flags, metric: Metric, subtract_mean: bool) -> Floats:
    """Return the distance of every pair after subtracting the mean of the training pairs."""
    mean = np.mean(np.concatenate([one[train], two[train]]), axis=0) if subtract_mean else 0.0
    one, two = one - mean, two - mean
    if metric == "euclidean_squared":
        return np.asarray(np.sum(np.square(one - two), axis=1))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    cosine = np.clip(np.sum(one * two, axis=1) / lengths, -1, 1)  # the original returns NaN for 1.0000001
    return 1 - cosine if metric == "cosine" else np.arccos(cosine) / math.pi


def rates(threshold: float, distance: Floats, same: Flags) -> Rates:
    """Return the rates of pairs accepted below `threshold`."""
    accepted = np.less(distance, threshold)
    true = np.sum(np.logical_and(accepted, same))
    false = np.sum(np.logical_and(accepted, np.logical_not(same)))
    correct = true + np.sum(np.logical_and(np.logical_not(accepted), np.logical_not(same)))
    positives, negatives = np.sum(same), np.sum(np.logical_not(same))
    return Rates(
        float(true / max(1, positives)), float(false / max(1, negatives)), float(correct / len(same))
    )


def val_threshold(reached: Floats, far: float) -> float:
    """Return the interpolated threshold at which the rate is `far`; 0 if it stays below."""
    if reached.max() < far:
        return 0.0
    after = next((index for index, rate in enumerate(reached) if rate > far), len(reached))
    if after == len(reached):
        return float(VAL_THRESHOLDS[-1])
    part = (far - reached[after - 1]) / (reached[after] - reached[after - 1])
    return float(VAL_THRESHOLDS[after - 1] + part * (VAL_THRESHOLDS[after] - VAL_THRESHOLDS[after - 1]))


def interpolated(x: float, xs: Floats, ys: Floats) -> float:
    """Return the value of SciPy's linear interp1d; xs may repeat."""
    after = max(1, next(index for index, value in enumerate(xs) if value >= x))
    width = xs[after] - xs[after - 1]
    part = (x - xs[after - 1]) / width if width else 1.0
    return float(ys[after - 1] + part * (ys[after] - ys[after - 1]))

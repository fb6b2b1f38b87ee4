"""The LFW verification protocol: thresholds are chosen on the training folds and scored on the held-out one.

View 2 has ten folds. View 1 has fold 0, and pairs of fold -1 that only choose the threshold. Protocol:
G. B. Huang et al., Labeled Faces in the Wild, UMass TR 07-49, 2007; metrics: davidsandberg/facenet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from facenet.errors import PairsFileInvalid
from facenet.evaluation import threshold_grid
from facenet.evaluation.centering import training_means
from facenet.evaluation.distances import Floats, Metric, Rows, pair_distances
from facenet.evaluation.platt import equal_prior_threshold
from facenet.evaluation.roc import Curve, exact_curve
from facenet.evaluation.threshold_rule import ThresholdRule
from facenet.evaluation.thresholds import Flags, Thresholds, choose_thresholds
from facenet.evaluation.uncertainty import Interval, folds_interval, standard_error, wilson_interval

Sweep = Literal["exact", "grid"]
CHOOSERS = {"exact": choose_thresholds, "grid": threshold_grid.choose_thresholds}


@dataclass(frozen=True, kw_only=True)
class PairRows:
    """P pairs of photos as rows of an embedding matrix.

    left, right: (P,) rows. same: (P,) whether they show the same person. fold: (P,) int32; pairs of fold -1
    only choose thresholds.
    """

    left: Rows
    right: Rows
    same: Flags
    fold: npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The options of the protocol.

    far: the target false accept rate, in (0, 1), at which the true accept rate (VAL) is measured.
    rule: how the decision threshold is chosen; `threshold_rule` returns the one that fits the pairs.
    """

    metric: Metric = "euclidean_squared"
    subtract_mean: bool = True
    sweep: Sweep = "exact"
    far: float = 1e-3
    rule: ThresholdRule = "max_accuracy"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The distances of P pairs for each of K scored folds, after subtracting the mean of its training folds.

    scored: (K,) folds. distances: (K, P). means: (K, D) of the training folds, or None.
    """

    pairs: PairRows
    scored: npt.NDArray[np.int32]
    distances: Floats
    means: Floats | None = None

    def by_fold(self) -> Iterator[tuple[int, Floats, Flags]]:
        """Yield each scored fold, the (P,) distances, and whether each pair is in it or for training."""
        for fold, row in zip(self.scored, self.distances, strict=True):
            yield int(fold), row, self.pairs.fold == fold

    def held_out(self) -> Floats:
        """Return the (P,) distance of each pair when its fold is scored; NaN for fold -1."""
        distances = np.full(len(self.pairs.same), np.nan)
        for _, row, test in self.by_fold():
            distances[test] = row[test]
        return distances


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """One scored fold. `val` is NaN in a fold without same pairs, `far` in one without different pairs."""

    fold: int
    pairs: int
    correct: int  # decisions, of `pairs`
    threshold: float
    val_threshold: float
    val: float
    far: float

    @property
    def accuracy(self) -> float:
        """The fraction of correct decisions."""
        return self.correct / self.pairs


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The result over all scored folds.

    distances, thresholds: (P,) of each pair when its fold is scored; NaN for fold -1.
    curve: the ROC over all scored pairs (exact), or averaged over folds (grid).
    """

    folds: tuple[FoldScore, ...]
    distances: Floats
    thresholds: Floats
    curve: Curve

    @property
    def accuracies(self) -> list[float]:
        """The accuracy of each fold."""
        return [score.accuracy for score in self.folds]

    def accuracy_interval(self) -> Interval:
        """Return the 95 % interval of the accuracy: Wilson's for one fold, Student's t for several."""
        if len(self.folds) == 1:
            return wilson_interval(self.folds[0].correct, self.folds[0].pairs)
        return folds_interval(self.accuracies)

    def metrics(self) -> dict[str, float | None]:
        """Return the headline metrics, means over folds.

        `_std`: population standard deviation over folds. `_standard_error`: None for one fold.
        """
        val, far = (np.array([getattr(score, name) for score in self.folds]) for name in ("val", "far"))
        several, known = len(self.folds) > 1, val[np.isfinite(val)]
        return {
            "accuracy": float(np.mean(self.accuracies)),
            "accuracy_std": float(np.std(self.accuracies)),
            "accuracy_standard_error": standard_error(self.accuracies) if several else None,
            "threshold": float(np.mean([score.threshold for score in self.folds])),
            "val": float(np.nanmean(val)),
            "val_std": float(np.nanstd(val)),
            "val_standard_error": standard_error(known) if len(known) > 1 else None,
            "far": float(np.nanmean(far)),
            "val_threshold": float(np.mean([score.val_threshold for score in self.folds])),
            "auc": self.curve.auc(),
            "eer": self.curve.eer(),
        }


def verify(embeddings: Floats, pairs: PairRows, protocol: Protocol) -> Verification:
    """Return how well (M, D) embeddings separate same from different pairs.

    The threshold and the mean of a fold come from all pairs outside it, including fold -1.

    Raises:
        PairsFileInvalid: nothing to score, nothing to choose a threshold on, or only one class of pairs, in
            total or outside a fold.
    """
    return judge(measure(embeddings, pairs, protocol), protocol)


def measure(embeddings: Floats, pairs: PairRows, protocol: Protocol) -> Measured:
    """Return the distances of all pairs for each scored fold; shapes and errors as in `verify`."""
    check_scorable(pairs.same, pairs.fold)
    scored = np.unique(pairs.fold[pairs.fold >= 0])
    means = None
    if protocol.subtract_mean and protocol.metric != "euclidean_squared":  # independent of the mean
        means = training_means(embeddings, pairs.left, pairs.right, pairs.fold, scored)
    distances = pair_distances(embeddings, pairs.left, pairs.right, protocol.metric, means)
    distances = np.broadcast_to(distances, (len(scored), len(pairs.same)))
    return Measured(pairs=pairs, scored=scored, distances=distances, means=means)


def judge(measured: Measured, protocol: Protocol) -> Verification:
    """Return the verification of measured distances; metric and mean of `protocol` are already applied."""
    pairs = measured.pairs
    scores, thresholds = [], np.full(len(pairs.same), np.nan)
    for fold, row, test in measured.by_fold():
        chosen = CHOOSERS[protocol.sweep](row[~test], pairs.same[~test], protocol.far)
        if protocol.rule == "equal_prior":
            chosen = replace(chosen, accuracy=equal_prior_threshold(row[~test], pairs.same[~test]))
        scores.append(_score(fold, row[test], pairs.same[test], chosen))
        thresholds[test] = chosen.accuracy
    distances = measured.held_out()
    curve = _curve(distances, pairs, measured.scored, protocol.sweep)
    return Verification(folds=tuple(scores), distances=distances, thresholds=thresholds, curve=curve)


def _score(fold: int, distances: Floats, same: Flags, chosen: Thresholds) -> FoldScore:
    accepted = distances < chosen.val
    return FoldScore(
        fold=fold,
        pairs=len(same),
        correct=int(((distances < chosen.accuracy) == same).sum()),
        threshold=chosen.accuracy,
        val_threshold=chosen.val,
        val=float(accepted[same].mean()) if same.any() else float("nan"),
        far=float(accepted[~same].mean()) if not same.all() else float("nan"),
    )


def _curve(distances: Floats, pairs: PairRows, scored: npt.NDArray[np.int32], sweep: Sweep) -> Curve:
    if sweep == "grid":
        return threshold_grid.mean_curve(
            [(distances[pairs.fold == f], pairs.same[pairs.fold == f]) for f in scored]
        )
    used = pairs.fold >= 0
    return exact_curve(distances[used], pairs.same[used])


def check_scorable(same: Flags, fold: npt.NDArray[np.int32]) -> None:
    """Raise PairsFileInvalid if pairs cannot be scored.

    There must be scored pairs of both classes, and pairs of both classes outside every scored fold, on which
    its threshold and its calibration are chosen.

    Args:
        same: (P,) whether a pair shows the same person.
        fold: (P,) fold of each pair; pairs of fold -1 only choose thresholds.
    """
    scored, all_same = fold >= 0, same
    same = same[scored]
    if not len(same):
        raise PairsFileInvalid(
            "There are no pairs to score. Check data/raw/pairs.parquet and run `dvc repro`."
        )
    if same.all() or not same.any():
        shown = "the same person" if same.all() else "different people"
        raise PairsFileInvalid(
            f"All {len(same)} scored pairs show {shown}, so accuracy has no meaning. "
            "Use a pairs file with both same and different pairs."
        )
    if (fold == fold[scored][0]).all():
        raise PairsFileInvalid(
            "There is only one fold and no other pairs to choose its threshold on; one chosen on the "
            "scored pairs would overestimate the accuracy. Use a pairs file with several folds, or set "
            "threshold_pairs (LFW View 1: pairsDevTrain.txt)."
        )
    for number in np.unique(fold[scored]):
        _check_training_part(all_same[fold != number], int(number))


def _check_training_part(same: Flags, fold: int) -> None:
    """Raise PairsFileInvalid if the (P,) pairs outside a fold are of one class."""
    if same.all() or not same.any():
        shown = "the same person" if same.all() else "different people"
        raise PairsFileInvalid(
            f"All {len(same)} usable pairs outside fold {fold} show {shown}, so the threshold of that fold "
            "cannot be chosen. Use a pairs file with same and different pairs in at least two folds, or set "
            "evaluate.missing to fallback if pairs were left out."
        )

"""The LFW verification protocol: thresholds are chosen on the other folds and scored on the one left out.

View 2 has ten folds. View 1 has one, fold 0, and pairs of fold -1 that only choose the threshold. Protocol:
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
    """P pairs of photos as row numbers into embeddings.

    left, right: (P,) rows. same: (P,) whether it is one person. fold: (P,) int32; -1 only chooses thresholds.
    """

    left: Rows
    right: Rows
    same: Flags
    fold: npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The options of the protocol.

    far: the share of false accepts, in (0, 1), at which the share of true accepts (VAL) is measured.
    rule: how the threshold is chosen; `threshold_rule` names the one that fits the pairs.
    """

    metric: Metric = "euclidean_squared"
    subtract_mean: bool = True
    sweep: Sweep = "exact"
    far: float = 1e-3
    rule: ThresholdRule = "max_accuracy"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The distances of P pairs as each of K scored folds sees them: after its own mean was taken off.

    scored: (K,) folds. distances: (K, P). means: (K, D) of the training pairs, or None.
    """

    pairs: PairRows
    scored: npt.NDArray[np.int32]
    distances: Floats
    means: Floats | None = None

    def by_fold(self) -> Iterator[tuple[int, Floats, Flags]]:
        """Yield each scored fold, its (P,) distances, and which pairs are of it; all others are training."""
        for fold, row in zip(self.scored, self.distances, strict=True):
            yield int(fold), row, self.pairs.fold == fold

    def seen(self) -> Floats:
        """Return the (P,) distance of each pair as seen when its fold is scored; NaN for fold -1."""
        found = np.full(len(self.pairs.same), np.nan)
        for _, row, test in self.by_fold():
            found[test] = row[test]
        return found


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """One scored fold. `val` is NaN in a fold without same pairs, `far` in one without different pairs."""

    fold: int
    pairs: int
    right: int  # decisions, of `pairs`
    threshold: float
    val_threshold: float
    val: float
    far: float

    @property
    def accuracy(self) -> float:
        """The share of right decisions."""
        return self.right / self.pairs


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The result over all scored folds.

    distances, thresholds: (P,) of each pair, as seen when its fold was scored; NaN for fold -1.
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
        """Return the 95 % interval of the accuracy: Wilson's for one fold, Student's over several."""
        if len(self.folds) == 1:
            return wilson_interval(self.folds[0].right, self.folds[0].pairs)
        return folds_interval(self.accuracies)

    def metrics(self) -> dict[str, float | None]:
        """Return the headline: means over folds; `_std` is the population deviation over folds.

        `_standard_error` is None for one fold.
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
    """Return how well (M, D) embeddings tell the same person from different ones.

    The threshold and the mean of a fold come from every pair outside it, fold -1 included.

    Raises:
        PairsFileInvalid: nothing to score, nothing to choose a threshold on, or only one kind of pairs.
    """
    return judge(measure(embeddings, pairs, protocol), protocol)


def measure(embeddings: Floats, pairs: PairRows, protocol: Protocol) -> Measured:
    """Return the distances of all pairs for each scored fold; shapes and errors as `verify`."""
    check_scorable(pairs.same, pairs.fold)
    scored = np.unique(pairs.fold[pairs.fold >= 0])
    means = None
    if protocol.subtract_mean and protocol.metric != "euclidean_squared":  # which no mean changes
        means = training_means(embeddings, pairs.left, pairs.right, pairs.fold, scored)
    distances = pair_distances(embeddings, pairs.left, pairs.right, protocol.metric, means)
    distances = np.broadcast_to(distances, (len(scored), len(pairs.same)))
    return Measured(pairs=pairs, scored=scored, distances=distances, means=means)


def judge(measured: Measured, protocol: Protocol) -> Verification:
    """Return the verification of measured distances; metric and mean of `protocol` are theirs already."""
    pairs = measured.pairs
    scores, thresholds = [], np.full(len(pairs.same), np.nan)
    for fold, row, test in measured.by_fold():
        chosen = CHOOSERS[protocol.sweep](row[~test], pairs.same[~test], protocol.far)
        if protocol.rule == "equal_prior":
            chosen = replace(chosen, accuracy=equal_prior_threshold(row[~test], pairs.same[~test]))
        scores.append(_score(fold, row[test], pairs.same[test], chosen))
        thresholds[test] = chosen.accuracy
    distances = measured.seen()
    curve = _curve(distances, pairs, measured.scored, protocol.sweep)
    return Verification(folds=tuple(scores), distances=distances, thresholds=thresholds, curve=curve)


def _score(fold: int, distances: Floats, same: Flags, chosen: Thresholds) -> FoldScore:
    accepted = distances < chosen.val
    return FoldScore(
        fold=fold,
        pairs=len(same),
        right=int(((distances < chosen.accuracy) == same).sum()),
        threshold=chosen.accuracy,
        val_threshold=chosen.val,
        val=float(accepted[same].mean()) if same.any() else float("nan"),
        far=float(accepted[~same].mean()) if not same.all() else float("nan"),
    )


def _curve(distances: Floats, pairs: PairRows, scored: npt.NDArray[np.int32], kind: Sweep) -> Curve:
    if kind == "grid":
        return threshold_grid.mean_curve(
            [(distances[pairs.fold == f], pairs.same[pairs.fold == f]) for f in scored]
        )
    used = pairs.fold >= 0
    return exact_curve(distances[used], pairs.same[used])


def check_scorable(same: Flags, fold: npt.NDArray[np.int32]) -> None:
    """Raise PairsFileInvalid if pairs cannot be scored: (P,) whether it is one person, and the fold.

    There must be scored pairs of both kinds, and for every fold other pairs to choose its threshold on.
    """
    scored = fold >= 0
    same = same[scored]
    if not len(same):
        raise PairsFileInvalid(
            "There is no pair to score. Look at data/raw/pairs.parquet, and run `dvc repro`."
        )
    if same.all() or not same.any():
        kind = "same person" if same.all() else "different people"
        raise PairsFileInvalid(
            f"All {len(same)} scored pairs show the {kind}: accuracy would mean nothing. "
            "Take a pairs file with both kinds."
        )
    if (fold == fold[scored][0]).all():
        raise PairsFileInvalid(
            "There is one fold, and no other pairs to choose its threshold on; chosen on the scored pairs it "
            "would flatter the model. Take a pairs file with several folds, or name threshold_pairs "
            "(LFW View 1: pairsDevTrain.txt)."
        )

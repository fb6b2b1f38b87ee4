"""Closed-set identification: photos classified among the people of the training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

Labels = npt.NDArray[np.int64]
PEOPLE = 12  # of the confusion matrix


@dataclass(frozen=True, kw_only=True)
class ClosedSet:
    """The result on N photos.

    accuracy: fraction of photos classified correctly.
    precision, recall, f1: macro averages over the people who have a photo or were predicted; the precision of
        someone never predicted, and the recall of someone without a photo, is 0.
    people: (P,) labels of the most confused people, in label order; empty without an error.
    confusion: (P, P) photos of each (row) classified as each (column).
    """

    accuracy: float
    precision: float
    recall: float
    f1: float
    people: Labels
    confusion: Labels


def closed_set(truth: Labels, predicted: Labels, *, people: int = PEOPLE) -> ClosedSet:
    """Return the result of (N,) predicted labels; the confusion matrix has at most `people` people.

    They are those of the pairs of people confused most often, in either direction; of equally frequent pairs
    the one with the lower labels.

    Raises:
        ValueError: N is 0.
    """
    if not len(truth):
        raise ValueError("no photos to classify")
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, average="macro", zero_division=0.0
    )
    chosen = _most_confused(truth, predicted, people)
    matrix = confusion_matrix(truth, predicted, labels=chosen) if len(chosen) else np.zeros((0, 0), np.int64)
    return ClosedSet(
        accuracy=float((truth == predicted).mean()),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        people=chosen,
        confusion=matrix,
    )


def _most_confused(truth: Labels, predicted: Labels, people: int) -> Labels:
    wrong = truth != predicted
    both = np.stack([truth[wrong], predicted[wrong]], axis=1)
    pairs, counts = np.unique(np.sort(both, axis=1), axis=0, return_counts=True)
    chosen: set[int] = set()
    for number in np.argsort(-counts, kind="stable"):
        if len(chosen | set(pairs[number].tolist())) <= people:
            chosen |= set(pairs[number].tolist())
    return np.array(sorted(chosen), np.int64)

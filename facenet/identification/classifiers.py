"""Similarity of a face to each enrolled person: nearest neighbour, or a linear SVM over all people."""

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from facenet.evaluation.thresholds import Floats
from facenet.identification.gallery import Gallery

Scorer = Callable[[npt.ArrayLike], Floats]

ITERATIONS = 5000  # maximum, of the SVM solver


def nearest_neighbour(gallery: Gallery) -> Scorer:
    """Return a function from (N, E) embeddings to (N, people): the largest cosine to each person's photos."""
    rows, labels = gallery.table()
    starts = np.flatnonzero(np.diff(labels, prepend=-1))

    def score(embeddings: npt.ArrayLike) -> Floats:
        cosines: Floats = np.maximum.reduceat(_normalised(embeddings) @ rows.T, starts, axis=1)
        return cosines.astype(np.float64)

    return score


def linear_svm(gallery: Gallery, *, cost: float = 1.0, seed: int = 0) -> Scorer:
    """Return a function from (N, E) embeddings to (N, people): the one-vs-rest margin of each person.

    People have equal weight, whatever the number of their photos.

    Raises:
        ValueError: the gallery has fewer than two people.
    """
    from sklearn.svm import LinearSVC  # takes a second to import, and only this function needs it

    rows, labels = gallery.table()
    if len(gallery) < 2:
        raise ValueError("a support vector machine needs at least two people")
    machine = LinearSVC(C=cost, class_weight="balanced", random_state=seed, max_iter=ITERATIONS)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The number of unique classes"
        )  # one photo per person is valid here
        # The weights are linear combinations of photos, so the SVM can be solved in a smaller basis of these.
        basis, coordinates = np.linalg.qr(rows.T.astype(np.float64))
        machine.fit(coordinates.T, labels)
    weights = basis @ machine.coef_.T

    def score(embeddings: npt.ArrayLike) -> Floats:
        margins: Floats = _normalised(embeddings) @ weights + machine.intercept_
        return margins if len(gallery) > 2 else np.concatenate([-margins, margins], axis=1)

    return score


def _normalised(embeddings: npt.ArrayLike) -> npt.NDArray[np.float32]:
    rows = np.asarray(embeddings, np.float32)
    normalised: npt.NDArray[np.float32] = rows / np.maximum(
        np.linalg.norm(rows, axis=1, keepdims=True), 1e-12
    )
    return normalised

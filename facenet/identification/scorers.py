"""Similarity of a face to each enrolled person: nearest photo, mean of the photos, or linear SVM.

Each function takes the (G, D) templates of the enrolled photos, the (G,) number of the person of each, 0 to
P - 1, all of which occur, and the metric, and returns a function from (N, D) templates to (N, P) scores;
higher is more similar.
"""

import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from facenet.errors import ParamsInvalid
from facenet.evaluation.distances import Floats, Metric, cross_distances, unit_rows

Templates = npt.NDArray[np.floating]
Owners = npt.NDArray[np.integer]
Scorer = Callable[[Templates], Floats]
Method = Literal["nearest_neighbour", "mean", "linear_svm"]

ITERATIONS = 5000  # maximum, of the SVM solver


def nearest_neighbour(templates: Templates, owners: Owners, metric: Metric) -> Scorer:
    """Score by the negative distance to the nearest photo."""
    order, starts = _by_person(owners)
    rows = templates[order]

    def score(queries: Templates) -> Floats:
        nearest: Floats = np.minimum.reduceat(cross_distances(queries, rows, metric), starts, axis=1)
        return -nearest

    return score


def mean_of_photos(templates: Templates, owners: Owners, metric: Metric) -> Scorer:
    """Score by the negative distance to the mean of the photos, see `person_means`."""
    means = person_means(templates, owners, metric)
    return lambda queries: -cross_distances(queries, means, metric)


def person_means(templates: Templates, owners: Owners, metric: Metric) -> npt.NDArray[np.float32]:
    """Return the (P, D) mean template of each person; for cosine and arccos scaled to length 1."""
    order, starts = _by_person(owners)
    sums = np.add.reduceat(templates[order].astype(np.float64), starts, axis=0)
    means: Floats = sums / np.diff(starts, append=len(order))[:, None]
    return means.astype(np.float32) if metric == "euclidean_squared" else unit_rows(means)


def linear_svm(
    templates: Templates, owners: Owners, metric: Metric, *, cost: float = 1.0, seed: int = 0
) -> Scorer:
    """Score by the one-vs-rest margin of each person.

    People have equal weight, whatever the number of their photos. The time to fit is quadratic in the number
    of people: a minute for a thousand.

    Raises:
        ParamsInvalid: there are fewer than two people.
    """
    from sklearn.svm import LinearSVC  # takes a second to import, and only this function needs it

    people = len(np.unique(owners))
    if people < 2:
        raise ParamsInvalid("A linear SVM needs at least two enrolled people.")
    machine = LinearSVC(C=cost, class_weight="balanced", random_state=seed, max_iter=ITERATIONS)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The number of unique classes"
        )  # one photo per person is valid here
        # The weights are linear combinations of photos, so the SVM can be solved in a smaller basis of these.
        basis, coordinates = np.linalg.qr(_directions(templates, metric).T.astype(np.float64))
        machine.fit(coordinates.T, owners)
    weights = basis @ machine.coef_.T

    def score(queries: Templates) -> Floats:
        margins: Floats = _directions(queries, metric) @ weights + machine.intercept_
        return margins if people > 2 else np.concatenate([-margins, margins], axis=1)

    return score


SCORERS: dict[Method, Callable[[Templates, Owners, Metric], Scorer]] = {
    "nearest_neighbour": nearest_neighbour,
    "mean": mean_of_photos,
    "linear_svm": linear_svm,
}


def _directions(templates: Templates, metric: Metric) -> Templates:
    """Return what the metric compares: templates, or their directions."""
    return templates if metric == "euclidean_squared" else unit_rows(templates)


def _by_person(owners: Owners) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the order of the photos by person, and where each person begins in it."""
    order = np.argsort(owners, kind="stable")
    return order, np.flatnonzero(np.diff(owners[order], prepend=-1))

"""The enrolled people by one of the scorers: whom faces show, with the decision of an Identifier."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats, Metric, cross_distances
from facenet.identification.identifier import Identification, Identifier
from facenet.identification.scorers import SCORERS, Method, Owners, Templates

NEAREST = 100  # photos of which the probability takes account
QUERIES = 256  # faces whose distances are in memory at once


class EnrolledPeople:
    """Templates of enrolled people, ready to identify faces.

    The scorer chooses the best match: the person of the nearest photo, or of the nearest mean of a person's
    photos, or with the largest margin of a linear SVM. Decided is by the nearest photo of that person, so
    that the FPIR is at most that of the nearest photos of all, whose thresholds were measured. Distances to
    means have another distribution: with the thresholds of photos, 0.16 instead of 0.10 of the unknown people
    of LFW were named.

    Args:
        templates: (G, D) of the enrolled photos.
        owners: (G,) the person of each, as an index into `names`.
        names: of P people, each with a photo.
        metric: of the model.
        method: the scorer.

    Raises:
        ParamsInvalid: linear_svm with fewer than two people.
    """

    def __init__(
        self,
        templates: Templates,
        owners: Owners,
        names: Sequence[str],
        metric: Metric,
        *,
        method: Method = "nearest_neighbour",
    ) -> None:
        self._templates, self._owners, self._names, self._metric = templates, owners, names, metric
        others = method != "nearest_neighbour" and len(owners)
        self._scorer = SCORERS[method](templates, owners, metric) if others else None

    def identify(self, queries: Templates, identifier: Identifier) -> list[Identification]:
        """Return the answer for each of (Q, D) templates."""
        answers: list[Identification] = []
        for start in range(0, len(queries), QUERIES):
            block = queries[start : start + QUERIES]
            distances = cross_distances(block, self._templates, self._metric)
            chosen = [None] * len(block) if self._scorer is None else self._scorer(block).argmax(axis=1)
            answers += [self._decide(*row, identifier) for row in zip(distances, chosen, strict=True)]
        return answers

    def _decide(
        self, distances: Floats, chosen: int | np.intp | None, identifier: Identifier
    ) -> Identification:
        near: npt.NDArray[np.intp] = np.arange(len(distances))
        if len(distances) > NEAREST:
            near = np.argpartition(distances, NEAREST)[:NEAREST]
            if chosen is not None:
                near = np.union1d(near, np.flatnonzero(self._owners == chosen))
        people = [self._names[person] for person in self._owners[near]]
        choice = None if chosen is None else self._names[int(chosen)]
        return identifier.identify(distances[near], people, photos=len(distances), choice=choice)

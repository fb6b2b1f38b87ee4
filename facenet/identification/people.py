"""The enrolled people by one of the scorers: whom faces show, with the decision of an Identifier."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats, Metric, cross_distances
from facenet.identification.identifier import Identification, Identifier
from facenet.identification.scorers import Method, Owners, Scorer, Templates, linear_svm, person_means

NEAREST = 100  # photos or people of which the probability takes account
QUERIES = 256  # faces whose distances are in memory at once


class EnrolledPeople:
    """Templates of enrolled people, ready to identify faces.

    nearest_neighbour: the best match is the person of the nearest photo, at its distance. mean: the person
    whose mean template is nearest, at that distance. linear_svm: the person with the largest margin, at the
    distance of their mean template. Whatever the method, the size of the gallery is the number of photos.

    Args:
        templates: (G, D) of the enrolled photos.
        owners: (G,) the person of each, as an index into `names`.
        names: of P people, each with a photo.
        metric: of the model.
        method: the scorer.

    Raises:
        ValueError: linear_svm with fewer than two people.
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
        self._names, self._metric, self._photos = names, metric, len(owners)
        whole = method == "nearest_neighbour" or not len(owners)
        self._rows = templates if whole else person_means(templates, owners, metric)
        self._owners: Owners = owners if whole else np.arange(len(names))
        self._margins: Scorer | None = None
        if method == "linear_svm":
            self._margins = linear_svm(templates, owners, metric)

    def identify(self, queries: Templates, identifier: Identifier) -> list[Identification]:
        """Return the answer for each of (Q, D) templates."""
        answers: list[Identification] = []
        for start in range(0, len(queries), QUERIES):
            block = queries[start : start + QUERIES]
            distances = cross_distances(block, self._rows, self._metric)
            chosen = [None] * len(block) if self._margins is None else self._margins(block).argmax(axis=1)
            answers += [self._decide(*row, identifier) for row in zip(distances, chosen, strict=True)]
        return answers

    def _decide(
        self, distances: Floats, chosen: int | np.intp | None, identifier: Identifier
    ) -> Identification:
        near: npt.NDArray[np.intp] = np.arange(len(distances))
        if len(distances) > NEAREST:
            near = np.argpartition(distances, NEAREST)[:NEAREST]
            if chosen is not None and chosen not in near:
                near = np.append(near, chosen)
        people = [self._names[person] for person in self._owners[near]]
        choice = None if chosen is None else self._names[int(chosen)]
        return identifier.identify(distances[near], people, photos=self._photos, choice=choice)

"""Which enrolled people faces show: the search in a gallery, and the decision."""

from collections.abc import Sequence

import numpy as np

from facenet.identification.identifier import Identification, Identifier
from facenet.identification.people import EnrolledPeople
from facenet.identification.scorers import Method
from facenet.matching import Matcher
from facenet.results import Face
from service.gallery import Gallery

NEAREST = 64  # photos that the probability of the best match takes into account


def recognise(
    gallery: Gallery,
    matcher: Matcher,
    faces: Sequence[Face],
    *,
    fpir: float | None = None,
    prior: float = 0.5,
    method: Method = "nearest_neighbour",
) -> list[Identification]:
    """Return for each face with a template which enrolled person it shows, if any.

    Args:
        gallery: of the model that found the faces.
        matcher: the calibration of that model.
        faces: with templates.
        fpir: target rate of unknown people who are named; None: the probability decides.
        prior: probability, before looking, that a face is of an enrolled person.
        method: how the best match is chosen; others than the first are prepared for every call.

    Raises:
        ValueError: the model has no threshold for `fpir`.
        ParamsInvalid: `prior` is out of range, or a linear SVM has fewer than two people.
    """
    identifier = Identifier(matcher, fpir=fpir, prior=prior)
    if not faces:
        return []
    queries = np.stack([face.template for face in faces if face.template is not None])
    if method != "nearest_neighbour":
        shot = gallery.snapshot()
        people = EnrolledPeople(shot.templates, shot.owners, shot.names, matcher.metric, method=method)
        return people.identify(queries, identifier)
    found = gallery.search(queries, NEAREST, metric=matcher.metric)
    shot = found.snapshot
    answers = []
    for query, rows, people in zip(queries, found.rows, found.people, strict=True):
        distances = matcher.template_distances(query[None], shot.templates[rows])[0]
        names = [shot.names[person] for person in people]
        answers.append(identifier.identify(distances, names, photos=len(shot)))
    return answers

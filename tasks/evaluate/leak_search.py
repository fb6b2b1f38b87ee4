"""Evaluated people and photos that are also in the training data: by name, digest, similarity, or person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facenet.evaluation.near_duplicates import nearest, pixel_similarity
from facenet.evaluation.shared_people import person_means, suspects
from facenet.identity import fold_name
from tasks.evaluate.embedding_cache import face_digests
from tasks.evaluate.embeddings import EmbeddingRows
from tasks.evaluate.work import find_locations, read_locations

# pixel_similarity from which two faces are the same photo, re-encoded or cropped differently. On LFW 110
# photos re-encoded at JPEG 70 have 0.93 to 1, photos of different people at most 0.86, on ORL at most 0.88.
SAME_PHOTO = 0.92
COMPARED = 1000  # maximum number of candidates by embedding whose pixels are compared, the most similar first


class Leak(NamedTuple):
    """An evaluated person or photo and its counterpart in training."""

    found_by: str  # name, digest, similarity (of photos) or person (by the means of their embeddings)
    evaluated: str
    trained: str
    evaluated_photo: str = ""
    trained_photo: str = ""
    cosine: float | None = None
    pixels: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The photos that are compared.

    identities: the person of every stored photo, by image_id. evaluated, trained: image_ids.
    shared: the evaluated people whose folded names are among those trained on. trained_here: whether the
    weights were trained on these training photos.
    """

    identities: Mapping[str, str]
    evaluated: Sequence[str]
    trained: Sequence[str]
    shared: Sequence[str]
    trained_here: bool = True


def leaks_by_name(sides: Sides) -> list[Leak]:
    """Return the shared people, each with the first photo on either side, if it has one."""
    first_evaluated, first_trained = (
        {fold_name(sides.identities[photo]): photo for photo in reversed(photos)}
        for photos in (sides.evaluated, sides.trained)
    )
    leaks = []
    for name in sides.shared:
        key = fold_name(name)
        photo = first_trained.get(key, "")
        trained = sides.identities.get(photo, key)
        leaks.append(Leak("name", name, trained, first_evaluated.get(key, ""), photo))
    return leaks


def leaks_by_digest(sides: Sides, aligned: Path) -> list[Leak]:
    """Return the evaluated photos whose file, or whose stored face, is also in training."""
    if not sides.trained:
        return []
    places = find_locations(aligned, {*sides.evaluated, *sides.trained})
    digests = {p.image_id: d for p, d in zip(places, face_digests(aligned, places), strict=True)}
    return equal_photos(sides, digests)


def equal_photos(sides: Sides, digests: Mapping[str, bytes]) -> list[Leak]:
    """Return the evaluated photos that are, or whose digest is that of, a photo of training."""
    evaluated = set(sides.evaluated)
    by_digest = {digests[photo]: photo for photo in reversed(sides.trained)}
    by_digest |= {digests[photo]: photo for photo in sides.trained if photo in evaluated}
    pairs = [(a, by_digest[digests[a]]) for a in sides.evaluated if digests[a] in by_digest]
    return [Leak("digest", sides.identities[a], sides.identities[b], a, b, 1.0, 1.0) for a, b in pairs]


def leaks_by_similarity(
    sides: Sides, evaluated: EmbeddingRows, trained: EmbeddingRows, *, aligned: Path, similarity: float
) -> list[Leak]:
    """Return the evaluated photos whose nearest training photo is the same photo, the most similar first.

    Args:
        sides: N evaluated and M trained photos.
        evaluated: (N, E) embeddings.
        trained: (M, E).
        aligned: the folder of the face table.
        similarity: cosine from which the pixels of two photos are compared.
    """
    if not sides.evaluated or not sides.trained:
        return []
    rows, cosines = nearest(evaluated, trained)
    order = [int(row) for row in np.argsort(-cosines, kind="stable") if cosines[row] >= similarity]
    candidates = [
        (sides.evaluated[row], sides.trained[rows[row]], float(cosines[row])) for row in order[:COMPARED]
    ]
    pixels = read_faces(aligned, {photo for a, b, _ in candidates for photo in (a, b)})
    confirmed = [(a, b, cosine, pixel_similarity(pixels[a], pixels[b])) for a, b, cosine in candidates]
    return [
        Leak("similarity", sides.identities[a], sides.identities[b], a, b, cosine, correlation)
        for a, b, cosine, correlation in confirmed
        if correlation >= SAME_PHOTO
    ]


def leaks_by_person(
    sides: Sides, evaluated: EmbeddingRows, trained: EmbeddingRows
) -> tuple[list[Leak], float | None]:
    """Return the evaluated people whose mean embedding is that of a person in training, and the threshold.

    Shared people, who are found by name, are left out. The threshold, a cosine, is None if
    there are too few people to compare.

    Args:
        sides: N evaluated and M trained photos.
        evaluated: (N, E) embeddings.
        trained: (M, E).
    """
    ours, our_rows = _people(sides, sides.evaluated)
    theirs, their_rows = _people(sides, sides.trained)
    found = suspects(person_means(evaluated, our_rows), person_means(trained, their_rows))
    if found is None:
        return [], None
    names, others = list(ours), list(theirs)
    named = {fold_name(name) for name in sides.shared}
    pairs = [(names[a], others[b]) for a, b in zip(found.rows, found.other_rows, strict=True)]
    leaks = [
        Leak("person", a, b, ours[a], theirs[b], float(cosine))
        for (a, b), cosine in zip(pairs, found.cosines, strict=True)
        if fold_name(a) not in named or fold_name(a) != fold_name(b)
    ]
    return leaks, found.threshold


def _people(sides: Sides, photos: Sequence[str]) -> tuple[dict[str, str], npt.NDArray[np.int64]]:
    """Return the people with their first photo, and the number of the person of each of (N,) photos."""
    first: dict[str, str] = {}
    for photo in photos:
        first.setdefault(sides.identities[photo], photo)
    number = {name: row for row, name in enumerate(first)}
    return first, np.array([number[sides.identities[photo]] for photo in photos], np.int64)


def read_faces(aligned: Path, photos: set[str]) -> dict[str, Any]:
    """Return the (S, S, 3) uint8 stored faces of photos, by image_id."""
    places = find_locations(aligned, photos)
    return dict(zip((p.image_id for p in places), read_locations(aligned, places), strict=True))

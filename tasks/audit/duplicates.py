"""Copies of one photo under two names, or on both sides of the evaluation."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facenet.audit.faces import AuditFaces
from facenet.audit.twins import nearest_outside
from facenet.evaluation.near_duplicates import pixel_similarity
from tasks.audit.stored import StoredFaces
from tasks.audit.suspects import DUPLICATE, Suspect, gain_of, group_of
from tasks.evaluate.leak_search import SAME_PHOTO, read_faces
from tasks.labels.decision import DROP

COMPARED = 5000  # maximum number of candidates whose pixels are compared, the most similar first
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
WEIGHT = 30.0  # log odds per similarity to the rest of one's identity, as for outliers


def duplicates(
    faces: StoredFaces,
    audited: AuditFaces,
    rows: Rows,
    aligned: Path,
    *,
    similarity: float,
    tick: Callable[[int], None],
) -> list[Suspect]:
    """Return the copies: of two, the one that fits its own identity less, or the one that trains.

    Args:
        faces: all stored faces.
        audited: M of them, as the audit compares them.
        rows: (M,) in `faces`, of each audited face before sorting.
        aligned: the folder of the face table.
        similarity: least cosine of faces whose pixels are compared.
        tick: called with the number of faces searched since the last call; M in all.
    """
    place = rows[audited.order]
    groups = np.unique(
        np.char.add(np.char.add(faces.identities[place], "\0"), faces.roles[place]), return_inverse=True
    )[1]
    nearest, cosines = nearest_outside(audited.vectors, groups, tick=tick)
    order = np.argsort(-cosines, kind="stable")
    order = order[cosines[order] >= similarity][: 2 * COMPARED]
    pairs = list(dict.fromkeys(tuple(sorted((int(row), int(nearest[row])))) for row in order))[:COMPARED]
    pixels = read_faces(aligned, {str(faces.photos[place[row]]) for pair in pairs for row in pair})
    fits = _fits(audited)
    found = []
    for a, b in pairs:
        correlation = pixel_similarity(*(pixels[str(faces.photos[place[row]])] for row in (a, b)))
        if correlation >= SAME_PHOTO:
            found.append(_suspect(faces, place, fits, (a, b), correlation))
    return [*found, *_same_bytes(faces)]


def _fits(audited: AuditFaces) -> Floats:
    """Return the mean similarity of each face to the others of its identity; 0 for an only one."""
    total = (audited.vectors * audited.sums[audited.owners]).sum(axis=1)
    counts = audited.counts[audited.owners]
    return np.where(counts > 1, (total - 1) / np.maximum(counts - 1, 1), 0.0)


def _suspect(
    faces: StoredFaces,
    place: Rows,
    fits: Floats,
    pair: tuple[int, int],
    correlation: float,
) -> Suspect:
    roles = [str(faces.roles[place[row]]) for row in pair]
    same_name = len({str(faces.identities[place[row]]) for row in pair}) == 1
    if same_name:  # the copy that trains would give away the one that is evaluated
        worse, better = sorted(pair, key=lambda row: faces.roles[place[row]] != "train")
        probability = 1.0
    else:
        worse, better = sorted(pair, key=lambda row: (fits[row], -row))
        probability = float(1 / (1 + np.exp(-WEIGHT * (fits[better] - fits[worse]))))
    face, other = int(place[worse]), int(place[better])
    identity, digest = str(faces.identities[face]), str(faces.photos[face])
    where = " and on both sides of the evaluation" if len(set(roles)) > 1 else ""
    return Suspect(
        kind=DUPLICATE,
        digest=digest,
        identity=identity,
        photo=faces.path(face),
        other_identity=str(faces.identities[other]),
        other_digest=str(faces.photos[other]),
        score=correlation,
        probability=probability,
        gain=gain_of(faces.counts[identity] - 1),
        action=DROP,
        group=group_of(DUPLICATE, *sorted((digest, str(faces.photos[other])))),
        reason=(
            f"The same photo is under {'one name' if same_name else 'two names'}{where}: the other copy is "
            f"{faces.path(other)}, and the pixels correlate by {correlation:.3f}."
        ),
    )


def _same_bytes(faces: StoredFaces) -> Iterator[Suspect]:
    """Yield the files that are in the folders of several people: ingest uses none of them."""
    for digest, places in sorted(faces.conflicts.items()):
        yield from _conflict(faces, digest, places)


def _conflict(faces: StoredFaces, digest: str, places: list[tuple[str, str]]) -> Iterable[Suspect]:
    for identity, path in places:
        others = [(name, file) for name, file in places if name != identity]
        if others:
            yield Suspect(
                kind=DUPLICATE,
                digest=digest,
                identity=identity,
                photo=path,
                other_identity=others[0][0],
                other_digest=digest,
                score=1.0,
                probability=1 - 1 / len(places),
                gain=gain_of(faces.counts.get(identity, 0)),
                action=DROP,
                group=group_of(DUPLICATE, digest),
                reason=f"The same file is {others[0][1]}, so that ingest uses it for nobody.",
            )

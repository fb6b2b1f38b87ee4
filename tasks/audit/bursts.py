"""Series of nearly equal photos that are most of a person's: a network learns the series, not the person."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from facenet.audit.faces import AuditFaces, Floats
from facenet.evaluation.near_duplicates import pixel_similarity
from tasks.audit.stored import StoredFaces
from tasks.audit.suspects import BURST, Suspect, gain_of, group_of
from tasks.evaluate.leak_search import SAME_PHOTO, read_faces
from tasks.labels.decision import DROP

Rows = npt.NDArray[np.int64]
LEAST = 4  # photos of a burst
DOMINATES = 0.5  # fraction of the person's photos
ALIKE = 0.9  # similarity of two photos of a burst
SAMPLED = 3000  # photos of one person that are compared with each other


def bursts(faces: StoredFaces, audited: AuditFaces, rows: Rows, aligned: Path) -> list[Suspect]:
    """Return all photos of each burst but the one most similar to the others.

    Args:
        faces: all stored faces.
        audited: M of them, as the audit compares them.
        rows: (M,) in `faces`, of each audited face before sorting.
        aligned: the folder of the face table.
    """
    place = rows[audited.order]
    found = []
    for identity in np.flatnonzero(audited.counts >= LEAST).tolist():
        members = np.arange(*audited.rows(identity).indices(len(place)))[:SAMPLED]
        series = _largest(audited.vectors[members])
        if len(series) >= max(LEAST, DOMINATES * len(members)):
            found += _confirmed(faces, place[members[series]], len(members), aligned)
    return found


def _largest(vectors: Floats) -> Rows:
    """Return the rows of the largest group of faces that are linked by similarity, the most central first."""
    similar = vectors @ vectors.T
    labels = connected_components(csr_array(similar >= ALIKE), directed=False)[1]
    series = np.flatnonzero(labels == np.bincount(labels).argmax())
    return series[np.argsort(-similar[np.ix_(series, series)].sum(axis=1), kind="stable")]


def _confirmed(faces: StoredFaces, series: Rows, total: int, aligned: Path) -> list[Suspect]:
    """Return a suspect for each photo whose pixels are those of the first, if they still dominate."""
    pixels = read_faces(aligned, {str(faces.photos[face]) for face in series})
    first, *others = series.tolist()
    alike = {
        face: correlation
        for face in others
        if (
            correlation := pixel_similarity(pixels[str(faces.photos[first])], pixels[str(faces.photos[face])])
        )
        >= SAME_PHOTO
    }
    fraction = (len(alike) + 1) / total
    if len(alike) + 1 < LEAST or fraction < DOMINATES:
        return []
    identity, kept = str(faces.identities[first]), str(faces.photos[first])
    return [
        Suspect(
            kind=BURST,
            digest=str(faces.photos[face]),
            identity=identity,
            photo=faces.path(face),
            other_identity=identity,
            other_digest=kept,
            score=correlation,
            probability=fraction,
            gain=gain_of(total - 1, wrong=False),
            action=DROP,
            group=group_of(BURST, identity, kept),
            reason=f"{len(alike) + 1} of {total} photos are nearly the same, such as {faces.path(first)}.",
        )
        for face, correlation in alike.items()
    ]

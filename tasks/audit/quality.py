"""Faces that are of no use under any name: none found, tiny, blurred, dark, or turned away."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.audit.stored import StoredFaces
from tasks.audit.suspects import UNUSABLE, Suspect, gain_of, group_of
from tasks.evaluate.embedding_cache import face_digests
from tasks.evaluate.photos import photo_qualities
from tasks.evaluate.work import find_locations
from tasks.labels.decision import DROP

NO_FACE = 0.9  # probability: sometimes the detector misses a good face


@dataclass(frozen=True)
class Limit:
    """A quality is bad below its limit, or above it with sign -1. relative: to the workspace's median."""

    value: float
    text: str
    sign: int = 1
    relative: bool = False


LIMITS = {
    "side": Limit(32, "The face is {0:.0f} pixels wide, less than {1:.0f}."),
    "sharpness": Limit(
        0.1, "The face is blurred: its sharpness is {0:.1f}, less than {1:.1f}.", relative=True
    ),
    "brightness": Limit(40, "The face is dark: its mean brightness is {0:.0f} of 255, less than {1:.0f}."),
    "turn": Limit(0.6, "The head is turned away: by {0:.2f} eye distances, more than {1:.2f}.", sign=-1),
}


def unusable(faces: StoredFaces, aligned: Path, cache: Path) -> list[Suspect]:
    """Return the stored faces that are of no use.

    The probability is 0.5 at a limit, and grows to 1 with the distance from it.

    Args:
        faces: all stored faces.
        aligned: the folder of the face table.
        cache: of measured qualities.
    """
    places = find_locations(aligned, set(faces.photos.tolist()))
    qualities = photo_qualities(aligned, places, face_digests(aligned, places), cache)
    table = qualities.loc[faces.photos.tolist()].reset_index(drop=True)
    found = [
        _suspect(
            faces, face, "No face was found in the photo: it is its centre that is stored.", 0.0, NO_FACE
        )
        for face in np.flatnonzero(faces.fallback).tolist()
    ]
    for name, limit in LIMITS.items():
        found += _beyond(faces, table[name][~faces.fallback], limit)
    return found


def _beyond(faces: StoredFaces, values: "pd.Series[float]", limit: Limit) -> Sequence[Suspect]:
    border = limit.value * (float(values.median()) if limit.relative and len(values) else 1)
    bad = values[limit.sign * values < limit.sign * border]
    suspects = []
    for face, value in bad.items():
        ratio = value / border if limit.sign > 0 else border / value
        reason = limit.text.format(value, border)
        suspects.append(_suspect(faces, int(str(face)), reason, float(value), 1 - ratio / 2))
    return suspects


def _suspect(faces: StoredFaces, face: int, reason: str, score: float, probability: float) -> Suspect:
    identity, digest = str(faces.identities[face]), str(faces.photos[face])
    return Suspect(
        kind=UNUSABLE,
        digest=digest,
        identity=identity,
        photo=faces.path(face),
        score=score,
        probability=probability,
        gain=gain_of(faces.counts[identity] - 1, wrong=False),
        action=DROP,
        group=group_of(UNUSABLE, digest, identity),
        reason=reason,
    )

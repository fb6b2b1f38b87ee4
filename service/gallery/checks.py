"""Checks before a photo is enrolled: is it a usable face, and is it this person's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from facenet.identification.identifier import Identifier
from facenet.identity import fold_name
from facenet.matching import Matcher
from facenet.results import Face, PhotoError, Quality
from service.gallery.errors import PersonUnknown
from service.gallery.gallery import Gallery
from service.gallery.matrix import Snapshot
from service.gallery.records import Enrolment
from service.gallery.settings import Settings

Check = Literal[
    "unreadable",
    "no_face",
    "several_faces",
    "too_small",
    "blurred",
    "too_dark",
    "too_bright",
    "other_name",
    "unlike",
]
COMMON_BRIGHTNESS = 100.0  # at which sharpness is compared
# Probability, before looking, that somebody is enrolled under another name. With 0.5, which identification
# uses, 3.6 % of new people were mistaken for another one in a gallery of 336 people of LFW; with this 0.9 %.
PRIOR = 0.1
NEAREST = 20  # enrolled photos that a face is compared with to find its name


@dataclass(frozen=True)
class Finding:
    """What a check found. photo: number of the photo among those submitted. message: for the user."""

    photo: int
    check: Check
    message: str


def check_face(number: int, face: Face | PhotoError, settings: Settings) -> list[Finding]:
    """Return what is wrong with the face of a photo."""
    if isinstance(face, PhotoError):
        check: Check = "no_face" if face.reason == "no_face" else "unreadable"
        return [Finding(number, check, face.message)]
    if face.fallback or face.template is None:
        return [Finding(number, "no_face", "no face was found")]
    found: list[tuple[Check, str]] = []
    if face.faces_found > 1:
        found.append(
            ("several_faces", f"the photo has {face.faces_found} faces; the selected one is enrolled")
        )
    if face.quality is not None:
        found += _check_quality(face.quality, settings)
    return [Finding(number, check, message) for check, message in found]


def _check_quality(quality: Quality, settings: Settings) -> Iterator[tuple[Check, str]]:
    # A darker copy of a photo is as sharp; the variance falls with the square of its values.
    sharpness = quality.sharpness * (COMMON_BRIGHTNESS / max(quality.brightness, 1)) ** 2
    if quality.side < settings.min_side:
        yield "too_small", f"the face has {quality.side:.0f} px, and {settings.min_side:g} are needed"
    if sharpness < settings.min_sharpness:
        yield "blurred", f"its sharpness is {sharpness:.1f}, and {settings.min_sharpness:g} is needed"
    if quality.brightness < settings.min_brightness:
        yield (
            "too_dark",
            f"its mean grey value is {quality.brightness:.0f}, below {settings.min_brightness:g}",
        )
    if quality.brightness > settings.max_brightness:
        yield (
            "too_bright",
            f"its mean grey value is {quality.brightness:.0f}, above {settings.max_brightness:g}",
        )


def check_person(
    gallery: Gallery, name: str, entries: Sequence[tuple[int, Enrolment]], matcher: Matcher
) -> list[Finding]:
    """Return which photos show, or were enrolled as, somebody else.

    A face is somebody else's if identification with a prior of PRIOR names another person among all others.
    A photo is unlike the person's others, enrolled or submitted with it, if the distance to each of them is
    above the model's default threshold; their number does not change what that threshold means, since the
    person's photos are not searched but compared.

    Args:
        gallery: of the model of `matcher`.
        name: of the person.
        entries: the number and the enrolment of each submitted photo.
        matcher: the calibration of the model.
    """
    snapshot, key = gallery.snapshot(), fold_name(name)
    own = _own(gallery, snapshot, name)
    found = []
    for number, entry in entries:
        others = [other for other in gallery.people_with(entry.sha256) if fold_name(other) != key]
        if others:
            message = f"the same photo is enrolled as {', '.join(map(repr, others))}"
            found.append(Finding(number, "other_name", message))
        elif message := _somebody_else(gallery, entry, own, matcher):
            found.append(Finding(number, "other_name", message))
    return found + _unlike(snapshot, own, entries, matcher)


def _own(gallery: Gallery, snapshot: Snapshot, name: str) -> npt.NDArray[np.bool_]:
    """Return which templates of a snapshot are those of the person of a name."""
    try:
        person, _ = gallery.person(name)
    except PersonUnknown:
        return np.zeros(len(snapshot), bool)
    place = int(np.searchsorted(snapshot.person_ids, person.id))
    known = place < len(snapshot.names) and snapshot.person_ids[place] == person.id
    return snapshot.owners == place if known else np.zeros(len(snapshot), bool)


def _somebody_else(gallery: Gallery, entry: Enrolment, own: npt.NDArray[np.bool_], matcher: Matcher) -> str:
    """Return a message if the face is that of another enrolled person, or ""."""
    near = gallery.search(entry.template[None], NEAREST + int(own.sum()), metric=matcher.metric)
    snapshot = near.snapshot
    rows = near.rows[0][near.rows[0] >= 0]
    rows = np.array([row for row in rows if row >= len(own) or not own[row]], np.int64)[:NEAREST]
    if not len(rows):
        return ""
    distances = matcher.template_distances(entry.template[None], snapshot.templates[rows])[0]
    names = [snapshot.names[owner] for owner in snapshot.owners[rows]]
    answer = Identifier(matcher, prior=PRIOR).identify(
        distances, names, photos=len(snapshot) - int(own.sum())
    )
    if answer.name is None:
        return ""
    return f"the face is that of {answer.name!r}, who is enrolled (probability {answer.probability:.3f})"


def _unlike(
    snapshot: Snapshot,
    own: npt.NDArray[np.bool_],
    entries: Sequence[tuple[int, Enrolment]],
    matcher: Matcher,
) -> list[Finding]:
    """Return the photos that are farther than the threshold from all other photos of the person."""
    submitted = np.stack([entry.template for _, entry in entries]) if entries else np.empty((0, 1))
    found = []
    for place, (number, _) in enumerate(entries):
        others = np.concatenate(
            [np.delete(submitted, place, axis=0), snapshot.templates[np.flatnonzero(own)]]
        )
        if not len(others):
            continue
        nearest = float(matcher.template_distances(submitted[place][None], others).min())
        if nearest >= matcher.threshold:
            found.append(
                Finding(
                    number,
                    "unlike",
                    f"it is unlike the person's other photos: the distance to the nearest is {nearest:.3f}, "
                    f"that of a match below {matcher.threshold:.3f}",
                )
            )
    return found

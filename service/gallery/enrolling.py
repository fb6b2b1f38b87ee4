"""Enrol the faces that a model found in photos, after the checks."""

from collections.abc import Sequence
from dataclasses import dataclass

from facenet.matching import Matcher
from facenet.results import Face, PhotoError
from service.gallery.checks import Finding, check_face, check_person
from service.gallery.errors import EnrolmentRefused
from service.gallery.gallery import Gallery
from service.gallery.records import Enrolled, Enrolment
from service.gallery.settings import Settings

UNUSABLE = ("unreadable", "no_face")


@dataclass(frozen=True)
class Outcome:
    """What was enrolled, and what the checks found. Photos without a face are not enrolled."""

    enrolled: Enrolled
    findings: tuple[Finding, ...]


def enrol_faces(
    gallery: Gallery,
    name: str,
    photos: Sequence[bytes],
    faces: Sequence[Face | PhotoError],
    *,
    by: str,
    matcher: Matcher,
    settings: Settings,
    keep: bool = False,
) -> Outcome:
    """Enrol photos of one person.

    With `settings.checks` "strict" nothing is enrolled if a check finds anything. Photos without a face are
    left out in the other modes. With "off" nothing else is checked.

    Args:
        gallery: of the model of `matcher`.
        name: of the person, new or enrolled.
        photos: the bytes of each file.
        faces: what `FaceModel.embed` returned for each.
        by: who enrols; see `Gallery.enrol`.
        matcher: the calibration of the model.
        settings: mode and limits.
        keep: store the bytes of the photos.

    Raises:
        EnrolmentRefused: a strict check found something, or no photo has a face.
        NameInvalid: see `Gallery.enrol`.
    """
    findings: list[Finding] = []
    entries: list[tuple[int, Enrolment]] = []
    for number, (content, face) in enumerate(zip(photos, faces, strict=True)):
        found = check_face(number, face, settings)
        unusable = any(finding.check in UNUSABLE for finding in found)
        findings += found if unusable or settings.checks != "off" else []
        if not unusable and isinstance(face, Face) and face.template is not None:
            entries.append((number, Enrolment.of(content, face.template, face.quality, keep=keep)))
    if entries and settings.checks != "off":
        findings += check_person(gallery, name, entries, matcher)
    findings.sort(key=lambda finding: finding.photo)
    if not entries or (settings.checks == "strict" and findings):
        raise EnrolmentRefused(f"Nothing was enrolled for {name!r}: {describe(findings)}.", tuple(findings))
    enrolled = gallery.enrol(name, [entry for _, entry in entries], by=by)
    return Outcome(enrolled, tuple(findings))


def describe(findings: Sequence[Finding]) -> str:
    """Return the findings in one line."""
    return "; ".join(f"photo {finding.photo + 1}: {finding.message}" for finding in findings) or "no photos"

"""The three modes of the checks."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from facenet.results import Face, PhotoError, Quality
from service.gallery import Gallery
from service.gallery.enrolling import enrol_faces
from service.gallery.errors import EnrolmentRefused
from service.gallery.settings import Mode, Settings
from tests.service.gallery.test_checks import MATCHER

TEMPLATE = np.eye(16, dtype=np.float32)[0]
FACE = Face((0, 0, 90, 90), None, 0.99, TEMPLATE, Quality(side=90, sharpness=200, brightness=120))
DARK = replace(FACE, quality=Quality(side=90, sharpness=200, brightness=5))
NONE = PhotoError("no_face", "no face was found")


def enrol(gallery: Gallery, mode: Mode, faces: list[Face | PhotoError], name: str = "Ada", **options: bool):
    photos = [f"{name} {number}".encode() for number in range(len(faces))]
    settings = Settings(checks=mode)
    return enrol_faces(gallery, name, photos, faces, by="me", matcher=MATCHER, settings=settings, **options)


def test_warn_enrols_and_reports(gallery: Gallery) -> None:
    done = enrol(gallery, "warn", [FACE, NONE, DARK], keep=True)
    assert [(finding.photo, finding.check) for finding in done.findings] == [(1, "no_face"), (2, "too_dark")]
    assert (done.enrolled.person.photos, len(done.enrolled.added)) == (2, 2)
    _, photos = gallery.person("Ada")
    assert gallery.photo(photos[1].id) == b"Ada 2"
    assert photos[1].quality is not None
    assert photos[1].quality.brightness == 5
    assert [f.check for f in enrol(gallery, "warn", [FACE], "Bob").findings] == ["other_name"]


def test_off_checks_nothing_but_whether_there_is_a_face(gallery: Gallery) -> None:
    done = enrol(gallery, "off", [NONE, DARK])
    assert [(finding.photo, finding.check) for finding in done.findings] == [(0, "no_face")]
    assert enrol(gallery, "off", [FACE], "Bob").findings == ()


def test_strict_enrols_all_or_nothing(gallery: Gallery) -> None:
    with pytest.raises(
        EnrolmentRefused, match=r"Nothing was enrolled for 'Ada': photo 2: its mean grey"
    ) as refused:
        enrol(gallery, "strict", [FACE, DARK])
    assert [finding.check for finding in refused.value.findings] == ["too_dark"]
    assert pickle.loads(pickle.dumps(refused.value)).findings == refused.value.findings
    assert gallery.people().total == 0
    assert enrol(gallery, "strict", [FACE]).findings == ()


@pytest.mark.parametrize("mode", ["off", "warn", "strict"])
def test_without_any_face_nothing_is_enrolled(gallery: Gallery, mode: Mode) -> None:
    with pytest.raises(EnrolmentRefused, match="photo 1: no face was found"):
        enrol(gallery, mode, [NONE])
    with pytest.raises(EnrolmentRefused, match="no photos"):
        enrol(gallery, mode, [])
    assert gallery.people().total == 0

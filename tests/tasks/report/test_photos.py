"""Whether faces are shown, and what of them."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tasks.params.sources import CelebaSource, FolderSource, LfwSource, OrlSource
from tasks.report.page import Subject
from tasks.report.photos import SIDE, data_uris, photos_allowed
from tasks.shards import read_table

ORL, LFW = OrlSource(kind="orl"), LfwSource(kind="lfw")
CELEBA = CelebaSource(kind="celeba", images="img")
FOLDER = FolderSource(kind="folder", path="photos")


@pytest.mark.parametrize(
    ("policy", "sources", "allowed"),
    [
        ("auto", [ORL, LFW, CELEBA], True),
        ("auto", [ORL, FOLDER], False),
        ("auto", [FOLDER], False),
        ("always", [FOLDER], True),
        ("never", [ORL], False),
    ],
)
def test_public_data_may_be_shown(policy: Any, sources: list[Any], allowed: bool) -> None:
    assert photos_allowed(policy, sources) is allowed


def test_a_face_is_a_small_jpeg_inside_the_page(evaluated: Subject) -> None:
    row = read_table(evaluated.aligned, "faces", ["image_id", "image"]).slice(3, 1).to_pylist()[0]
    uris = data_uris(evaluated.aligned, {row["image_id"], "unknown"})
    assert list(uris) == [row["image_id"]]
    kind, _, data = uris[row["image_id"]].partition(",")
    assert kind == "data:image/jpeg;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    stored = Image.open(io.BytesIO(row["image"]))
    assert shown.format == "JPEG"
    assert shown.size == (min(SIDE, stored.width), min(SIDE, stored.height))
    assert not shown.getexif()


def test_no_photo_is_read_for_nobody(evaluated: Subject) -> None:
    assert data_uris(evaluated.aligned / "absent", set()) == {}

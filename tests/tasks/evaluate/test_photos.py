"""Qualities of photos, computed by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tasks.evaluate import photos
from tasks.evaluate.embedding_cache import face_digests
from tasks.evaluate.photos import measure_pixels, photo_qualities, turn
from tasks.evaluate.work import find_locations

Workspace = Any


def test_pixels_by_hand() -> None:
    face = np.zeros((3, 4, 3), np.uint8)
    face[1, 1] = (100, 100, 100)
    sharpness, brightness, colour = measure_pixels(face)
    assert sharpness == pytest.approx(np.var([-400, 100]))
    assert brightness == pytest.approx(100 / 12)
    assert colour == 0
    face[0, 0] = (12, 0, 36)
    assert measure_pixels(face)[2] == pytest.approx(36 / 12)


def test_blur_reduces_sharpness_but_not_brightness() -> None:
    random = np.random.default_rng(0)
    image = Image.fromarray(random.integers(0, 255, (40, 40, 3), np.uint8))
    sharp, blurred = (measure_pixels(np.asarray(i)) for i in (image, image.filter(ImageFilter.BoxBlur(2))))
    assert blurred[0] < sharp[0] / 20
    assert blurred[1] == pytest.approx(sharp[1], rel=0.05)


def test_turn_is_the_nose_along_the_line_of_the_eyes() -> None:
    frontal = [[10, 10], [30, 10], [20, 20], [12, 30], [28, 30]]
    turned = [[10, 10], [30, 10], [28, 20], [15, 30], [28, 30]]
    tilted = [[10, 10], [24, 24], [10, 24], [0, 30], [14, 44]]  # frontal, head tilted
    found = turn(np.array([frontal, turned, tilted, np.zeros((5, 2))], np.float64))
    assert found[:3] == pytest.approx([0, 0.4, 0])
    assert np.isnan(found[3])


def test_each_face_is_measured_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aligned = workspace.paths["aligned"]
    places = find_locations(aligned, set(workspace.ids.values()))
    digests = face_digests(aligned, places)
    table = photo_qualities(aligned, places, digests, tmp_path)
    assert table.index.tolist() == [place.image_id for place in places]
    assert (table["colour"] == 0).all()  # ORL is grey
    assert table["side"].notna().sum() == 39  # a fallback has no detected face
    monkeypatch.setattr(photos, "measure_pixels", lambda face: pytest.fail("measured again"))
    again = photo_qualities(aligned, places[::-1], digests[::-1], tmp_path)
    assert again.loc[table.index].equals(table)

import hashlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facenet.detection import CropSettings, crop_face, fallback_box
from facenet.detection.crop import central_square
from facenet.detection.templates import TEMPLATES
from facenet.errors import ParamsInvalid

PIXELS = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
# Of the face in the test below, cropped before templates had names.
GOLDEN = "9dbdf1a1283e3b5b2d9f35d0ba884ac0a78e6b477ce3e0f67108d8cab06ec600"
NOWHERE = np.full((5, 2), np.nan, np.float32)


def box(*edges: float) -> np.ndarray:
    return np.array(edges, np.float32)


def resized(left: int, top: int, right: int, bottom: int, side: int) -> np.ndarray:
    part = Image.fromarray(PIXELS[top:bottom, left:right])
    return np.asarray(part.resize((side, side), Image.Resampling.BILINEAR))


@pytest.mark.parametrize(
    ("edges", "settings", "region"),
    [
        ((100.9, 50.2, 160.9, 110.7), {}, (100, 50, 160, 110)),
        ((100, 50, 160, 110), {"margin": 32}, (84, 34, 176, 126)),
        ((5, 3, 60, 190), {"margin": 32}, (0, 0, 76, 200)),
        (
            (100, 50, 160, 110),
            {"margin": 14, "margin_in": "output"},
            (90, 40, 169, 119),
        ),  # 60 * 14 / 46 / 2 = 9.13
        ((400, 50, 420, 60), {}, (299, 50, 300, 60)),
        ((-50, -40, -20, -10), {}, (0, 0, 1, 1)),
    ],
)
def test_crops(edges: Any, settings: Any, region: Any) -> None:
    cut = crop_face(PIXELS, box(*edges), NOWHERE, CropSettings(image_size=60, **settings))
    np.testing.assert_array_equal(cut, resized(*region, 60))


def test_fallback_is_a_central_square_of_half_the_shorter_side() -> None:
    np.testing.assert_array_equal(fallback_box(250, 250), [62.5, 62.5, 187.5, 187.5])
    np.testing.assert_array_equal(fallback_box(1, 1), [0, 0, 1, 1])


def spots(points: np.ndarray) -> np.ndarray:
    """A black photo with a white disc at each landmark."""
    y, x = np.mgrid[:400, :400] + 0.5
    near = [np.hypot(x - px, y - py) < 4 for px, py in points]
    return np.repeat(np.any(near, axis=0)[..., None] * np.uint8(255), 3, axis=2)


@pytest.mark.parametrize("degrees", [0, 30, -75, 180])
@pytest.mark.parametrize(
    ("margin", "margin_in", "share"), [(0, "source", 1.0), (28, "output", 0.75), (200, "source", 0.5)]
)
@pytest.mark.parametrize("name", TEMPLATES)
def test_similarity_puts_the_landmarks_onto_the_template(
    degrees: int, margin: int, margin_in: Any, share: float, name: str
) -> None:
    template = np.array(TEMPLATES[name].points) * 112 / TEMPLATES[name].side
    turn = np.exp(1j * np.radians(degrees)) * 200 / 112  # the face is 200 source pixels large
    landmarks = ((template - 56) @ (1, 1j)) * turn + 200 + 210j
    points = np.stack([landmarks.real, landmarks.imag], axis=1).astype(np.float32)
    settings = CropSettings("similarity", 112, margin, margin_in, name)
    face = crop_face(spots(points), box(0, 0, 1, 1), points, settings)
    y, x = np.mgrid[:112, :112] + 0.5
    for px, py in (template - 56) * share + 56:
        weight = np.where(np.hypot(x - px, y - py) < 6 * share, face[..., 0].astype(float), 0)
        assert np.hypot((x * weight).sum() / weight.sum() - px, (y * weight).sum() / weight.sum() - py) < 0.5


def test_the_default_template_is_that_of_earlier_versions() -> None:
    landmarks = np.array([(100, 90), (150, 85), (128, 115), (108, 140), (146, 138)], np.float32)
    faces = [
        crop_face(PIXELS, box(0, 0, 1, 1), landmarks, CropSettings("similarity", 60, **given))
        for given in ({}, {"template": "arcface"})
    ]
    np.testing.assert_array_equal(*faces)
    assert hashlib.sha256(faces[0].tobytes()).hexdigest() == GOLDEN


def test_without_landmarks_a_similarity_is_a_crop() -> None:
    edges = box(100, 50, 160, 110)
    expected = resized(100, 50, 160, 110, 60)
    for landmarks in (NOWHERE, np.zeros((5, 2), np.float32)):
        settings = CropSettings("similarity", 60)
        np.testing.assert_array_equal(crop_face(PIXELS, edges, landmarks, settings), expected)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"method": "warp"}, {"template": "dlip"}, {"image_size": 0}, {"margin": -1}),
        {"margin": 60, "margin_in": "output"},
    ],
)
def test_settings_out_of_range(wrong: Any) -> None:
    with pytest.raises(ParamsInvalid):
        CropSettings(**{"image_size": 60, **wrong})


@pytest.mark.parametrize(
    ("width", "height", "square"),
    [
        (300, 200, (50, 0, 250, 200)),
        (178, 218, (0, 20, 178, 198)),
        (5, 2, (1, 0, 3, 2)),
        (7, 7, (0, 0, 7, 7)),
    ],
)
def test_the_central_square(width: int, height: int, square: tuple[int, ...]) -> None:
    assert central_square(width, height).tolist() == list(square)


def test_a_whole_photo_of_the_right_size_is_not_resampled() -> None:
    settings = CropSettings(method="none", image_size=200)
    cut = crop_face(PIXELS, central_square(300, 200), NOWHERE, settings)
    np.testing.assert_array_equal(cut, PIXELS[:, 50:250])
    smaller = crop_face(PIXELS, central_square(300, 200), NOWHERE, CropSettings(method="none", image_size=60))
    np.testing.assert_array_equal(smaller, resized(50, 0, 250, 200, 60))


def test_whole_photos_have_no_margin() -> None:
    with pytest.raises(ParamsInvalid, match="margin must be 0"):
        CropSettings(method="none", margin=16)

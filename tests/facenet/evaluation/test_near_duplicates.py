"""Photos of ORL, re-encoded, cropped and relit, against other photos."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from facenet.evaluation import near_duplicates
from facenet.evaluation.near_duplicates import nearest, pixel_similarity


@pytest.fixture(scope="module")
def faces(orl_photos: list[tuple[str, bytes]]) -> list[np.ndarray]:
    photos = orl_photos[:100]
    return [np.asarray(Image.open(BytesIO(data)).convert("RGB").resize((112, 112))) for _, data in photos]


def reencoded(face: np.ndarray) -> np.ndarray:
    buffer = BytesIO()
    Image.fromarray(face).save(buffer, "JPEG", quality=70)
    return np.asarray(Image.open(buffer))


def test_copies_correlate_more_than_other_photos(faces: list[np.ndarray]) -> None:
    for face in faces[::10]:
        assert pixel_similarity(face, reencoded(face)) > 0.995
        assert pixel_similarity(face, (face * 0.7 + 20).astype(np.uint8)) > 0.99
        assert pixel_similarity(face, face[:, ::-1]) > 0.99
    others = [pixel_similarity(faces[0], other) for other in faces[10:]]
    assert max(others) < 0.88


@pytest.mark.parametrize("box", [(6, 0, 112, 106), (0, 9, 103, 112), (8, 8, 104, 104), (3, 2, 110, 109)])
def test_cropped_copies_correlate(faces: list[np.ndarray], box: tuple[int, int, int, int]) -> None:
    """The detected face moves slightly in a re-encoded photo."""
    for face in faces[::10]:
        cropped = Image.fromarray(reencoded(face)).crop(box).resize((112, 112), Image.Resampling.BILINEAR)
        assert pixel_similarity(face, np.asarray(cropped)) > 0.9


def test_a_uniform_image_correlates_with_nothing(faces: list[np.ndarray]) -> None:
    assert pixel_similarity(faces[0], np.full_like(faces[0], 90)) == 0


def test_copies_are_nearest_among_longer_raw_embeddings() -> None:
    """Variants `siamese` and `faithful` return embeddings of any length; others are up to 50 times longer."""
    random = np.random.default_rng(1)
    photos = random.normal(size=(40, 16)).astype(np.float32)
    others = random.normal(size=(300, 16)) * random.uniform(1, 50, (300, 1))
    mixed = np.concatenate([others, photos]).astype(np.float32)
    rows, cosines = nearest(photos, mixed)
    assert rows.tolist() == list(range(300, 340))
    assert cosines == pytest.approx(np.ones(40), abs=1e-6)
    assert nearest(np.zeros((1, 16), np.float32), mixed)[1].tolist() == [0]


def test_nearest_equals_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "BLOCK", 3)
    random = np.random.default_rng(0)
    left, right = random.normal(size=(8, 5)), random.normal(size=(6, 5))
    rows, cosines = nearest(left, right)
    for row, (place, cosine) in enumerate(zip(rows, cosines, strict=True)):
        expected = [left[row] @ other / np.linalg.norm(left[row]) / np.linalg.norm(other) for other in right]
        assert place == int(np.argmax(expected))
        assert cosine == pytest.approx(max(expected))
    assert len(nearest(left[:0], right)[0]) == 0

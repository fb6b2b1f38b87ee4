import numpy as np
import pytest

from facenet.errors import ParamsInvalid
from facenet.training.augmentation import Augmentation
from facenet.training.colour import ColourJitter
from facenet.training.rotation import rotate


def faces(count: int = 6, side: int = 10) -> np.ndarray:
    """Faces whose every pixel is different: red = row, green = column, blue = number."""
    images = np.zeros((count, side, side, 3), np.uint8)
    images[..., 0] = np.arange(side)[:, None]
    images[..., 1] = np.arange(side)[None, :]
    images[..., 2] = np.arange(count)[:, None, None]
    return images


def test_without_options_it_crops_the_centre() -> None:
    cut = Augmentation(image_size=4)(faces(), np.random.default_rng(0))
    assert np.array_equal(cut, faces()[:, 3:7, 3:7])


def test_same_size_and_no_options_change_nothing() -> None:
    assert np.array_equal(Augmentation(image_size=10)(faces(), np.random.default_rng(0)), faces())


def test_random_crops_are_windows_of_the_face_and_reach_every_corner() -> None:
    cut = Augmentation(image_size=8, random_crop=True)(faces(400), np.random.default_rng(0))
    tops, lefts = cut[:, 0, 0, 0], cut[:, 0, 0, 1]
    assert set(zip(tops.tolist(), lefts.tolist(), strict=True)) == {
        (y, x) for y in range(3) for x in range(3)
    }
    for number in range(400):
        top, left = int(tops[number]), int(lefts[number])
        assert np.array_equal(cut[number], faces(400)[number, top : top + 8, left : left + 8])


def test_shift_repeats_the_edge() -> None:
    cut = Augmentation(image_size=10, shift=3)(faces(300), np.random.default_rng(0))
    seen = set()
    for image in cut:
        down, right = int(image[5, 5, 0]) - 5, int(image[5, 5, 1]) - 5
        seen.add((down, right))
        rows = np.clip(np.arange(10) + down, 0, 9)
        columns = np.clip(np.arange(10) + right, 0, 9)
        assert np.array_equal(image[..., 0], np.repeat(rows[:, None], 10, axis=1))
        assert np.array_equal(image[..., 1], np.repeat(columns[None], 10, axis=0))
    assert seen == {(y, x) for y in range(-3, 4) for x in range(-3, 4)}


def test_flip_mirrors_about_half_of_the_faces() -> None:
    flipped = Augmentation(image_size=10, flip=True)(faces(200), np.random.default_rng(0))
    mirrored = [np.array_equal(image, face[:, ::-1]) for image, face in zip(flipped, faces(200), strict=True)]
    kept = [np.array_equal(image, face) for image, face in zip(flipped, faces(200), strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 70 < sum(mirrored) < 130


def test_draws_depend_on_the_generator_alone() -> None:
    augmentation = Augmentation(image_size=6, random_crop=True, shift=2, flip=True)
    first, again = (augmentation(faces(50), np.random.default_rng([1, 2, 3])) for _ in range(2))
    other = augmentation(faces(50), np.random.default_rng([1, 2, 4]))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_faces_give_no_faces() -> None:
    assert Augmentation(image_size=4, flip=True)(faces(0), np.random.default_rng(0)).shape == (0, 4, 4, 3)


def test_too_small_faces_are_rejected() -> None:
    with pytest.raises(ParamsInvalid, match=r"train\.image_size"):
        Augmentation(image_size=11)(faces(), np.random.default_rng(0))


def jittered() -> Augmentation:
    colour = ColourJitter(brightness=0.1, contrast=0.2, saturation=0.3, hue=0.1)
    return Augmentation(image_size=6, random_crop=True, shift=2, flip=True, rotation=15.0, colour=colour)


def test_a_part_of_the_batch_is_changed_as_in_the_whole() -> None:
    """So that a process that makes some of the images makes what one process would have made."""
    augmentation, images = jittered(), faces(12)
    draws = augmentation.draw(12, images.shape[1:3], np.random.default_rng(3))
    whole = augmentation(images, np.random.default_rng(3))
    for rows in (np.arange(5), np.array([11, 0, 7])):
        assert np.array_equal(augmentation.apply(images[rows], draws[rows]), whole[rows])
    assert (whole.shape, whole.dtype) == ((12, 6, 6, 3), np.uint8)


def test_it_rotates_then_crops_then_colours() -> None:
    augmentation, images = jittered(), faces(8)
    draws = augmentation.draw(8, images.shape[1:3], np.random.default_rng(1))
    assert 0 < np.abs(draws.degrees).max() <= 15
    plain = Augmentation(image_size=6, random_crop=True, shift=2, flip=True)
    cut = plain.apply(rotate(images, draws.degrees), draws)
    assert np.array_equal(augmentation.apply(images, draws), augmentation.colour.apply(cut, draws.colours))


def test_every_change_accepts_no_faces() -> None:
    assert jittered()(faces(0), np.random.default_rng(0)).shape == (0, 6, 6, 3)


def test_zoom_draws_a_scale_for_each_face_and_nothing_without_it() -> None:
    augmentation = Augmentation(image_size=6, zoom=0.2, rotation=15.0)
    faces = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3)).astype(np.uint8)
    draws = augmentation.draw(50, (8, 8), np.random.default_rng(1))
    assert 0.8 <= draws.scales.min() < 0.85 < 1.15 < draws.scales.max() <= 1.2
    expected = rotate(faces, draws.degrees, draws.scales)[:, 1:7, 1:7]
    assert np.array_equal(augmentation.apply(faces, draws), expected)
    plain = Augmentation(image_size=6, rotation=15.0).draw(50, (8, 8), np.random.default_rng(1))
    assert np.array_equal(plain.degrees, draws.degrees)
    assert np.array_equal(plain.scales, np.ones(50))

import math

import numpy as np
import pytest

from facenet.training.colour import ColourJitter


def faces(count: int = 4, side: int = 5) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


def changed_pixel(
    pixel: list[float], means: list[float], change: tuple[float, float, float, float]
) -> list[int]:
    """One pixel after the other: contrast, then colour differences turned and stretched, then light."""
    brightness, contrast, saturation, hue = change
    red, green, blue = (
        (value - mean) * (1 + contrast) + mean for value, mean in zip(pixel, means, strict=True)
    )
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    u, v = 0.492 * (blue - luma), 0.877 * (red - luma)
    angle = 2 * math.pi * hue
    u, v = (
        (1 + saturation) * (math.cos(angle) * u - math.sin(angle) * v),
        (1 + saturation) * (math.sin(angle) * u + math.cos(angle) * v),
    )
    blue, red = luma + u / 0.492, luma + v / 0.877
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return [round(min(255.0, max(0.0, value + 255 * brightness))) for value in (red, green, blue)]


def test_it_is_the_naive_loop_over_pixels() -> None:
    images = faces()
    jitter = ColourJitter(brightness=0.2, contrast=0.5, saturation=0.5, hue=0.3)
    changes = jitter.draw(len(images), np.random.default_rng(2))
    found = jitter.apply(images, changes)
    assert found.dtype == np.uint8
    for number, image in enumerate(images.astype(float)):
        means = [float(image[..., channel].mean()) for channel in range(3)]
        change = tuple(float(value) for value in changes[number])
        for y, x in np.ndindex(image.shape[:2]):
            expected = changed_pixel(image[y, x].tolist(), means, change)  # type: ignore[arg-type]  # four
            assert np.abs(found[number, y, x].astype(int) - expected).max() <= 1  # rounding of a half


def test_draws_stay_in_their_ranges_and_reach_both_ends() -> None:
    jitter = ColourJitter(brightness=0.1, contrast=0.2, hue=0.3)
    changes = jitter.draw(2000, np.random.default_rng(0))
    assert np.abs(changes).max(axis=0) == pytest.approx([0.1, 0.2, 0.0, 0.3], rel=0.01)
    assert changes.min(axis=0) == pytest.approx([-0.1, -0.2, 0.0, -0.3], rel=0.01)


def test_single_changes_do_what_their_name_says() -> None:
    images = np.full((1, 2, 2, 3), [200, 100, 50], np.uint8)
    images[0, 0, 0] = [100, 100, 100]
    none = np.zeros((1, 4), np.float32)

    def apply(**changes: float) -> np.ndarray:
        draw = none.copy()
        for name, value in changes.items():
            draw[0, ["brightness", "contrast", "saturation", "hue"].index(name)] = value
        return ColourJitter(brightness=1, contrast=1, saturation=1, hue=0.5).apply(images, draw)

    assert np.array_equal(apply(), images)
    assert (
        apply(brightness=0.1)[0, 0, 0].tolist() == [126, 126, 126] or apply(brightness=0.1)[0, 0, 0, 0] == 125
    )
    grey = apply(saturation=-1.0)[0, 1, 1]
    assert grey.tolist() == [124, 124, 124]  # 0.299 x 200 + 0.587 x 100 + 0.114 x 50
    assert apply(hue=0.25)[0, 0, 0].tolist() == [100, 100, 100], "grey has no hue"
    assert np.array_equal(apply(hue=0.5), apply(hue=-0.5))
    assert apply(contrast=-1.0)[0].std(axis=(0, 1)).tolist() == [0, 0, 0]


def test_each_face_has_its_own_change() -> None:
    images = np.repeat(faces(1), 50, axis=0)
    jitter = ColourJitter(hue=0.5)
    found = jitter.apply(images, jitter.draw(50, np.random.default_rng(0)))
    assert len(np.unique(found.reshape(50, -1), axis=0)) > 40


def test_it_is_off_without_ranges() -> None:
    assert not ColourJitter().on
    assert ColourJitter(hue=0.1).on

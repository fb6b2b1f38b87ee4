from collections.abc import Iterator

import numpy as np
import pytest
import torch

from facenet.detection.integral import IntegralImage
from facenet.detection.networks import ONet, RNet
from facenet.detection.reader import CropReader, standardised
from facenet.devices import cpu_threads

CPU = torch.device("cpu")


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    with cpu_threads(request.param):
        yield request.param


def images(count: int) -> list[IntegralImage]:
    rng = np.random.default_rng(0)
    return [IntegralImage(rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)) for _ in range(count)]


def boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-10, 70, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(12, 60, (count, 1))], axis=1).astype(np.float32)


@torch.inference_mode()
def test_a_reading_depends_on_its_crop_alone(threads: int) -> None:
    torch.manual_seed(0)
    for network, side, size in ((RNet(), 24, 16), (ONet(), 48, 4)):
        reader = CropReader(network.eval(), side=side, size=size, device=CPU)
        together = list(reader.read(images(3), [boxes(37, 0), boxes(0, 1), boxes(21, 2)]))
        assert [len(found) for found, _ in together] == [37, 0, 21]
        ((_, alone),) = reader.read(images(3)[2:], [boxes(21, 2)[::-1]])
        for one, many in zip(alone, together[2][1], strict=True):
            assert one[::-1].tobytes() == many.tobytes()


@torch.inference_mode()
def test_a_box_outside_the_image_is_left_out_and_shifts_nobody() -> None:
    torch.manual_seed(0)
    reader = CropReader(ONet().eval(), side=48, size=4, device=CPU)
    inside = boxes(2, 3)
    outside = np.array([[500, 500, 540, 540], [-50, 10, -20, 40]], np.float32)
    mixed = np.concatenate([outside[:1], inside[:1], outside[1:], inside[1:]])
    ((kept, reading),) = reader.read(images(1), [mixed])
    ((_, expected),) = reader.read(images(1), [inside])
    np.testing.assert_array_equal(kept, inside)
    assert reading.landmarks.shape == (2, 10)
    assert reading.scores.tobytes() == expected.scores.tobytes()


def test_no_boxes() -> None:
    reader = CropReader(RNet(), side=24, size=16, device=CPU)
    ((kept, reading),) = reader.read(images(1), [np.zeros((0, 4), np.float32)])
    assert len(kept) == len(reading.scores) == len(reading.offsets) == 0


def test_standardisation() -> None:
    pixels = np.array([0, 127.5, 255], np.float32).reshape(1, 1, 1, 3)
    assert standardised(pixels, CPU).flatten().tolist() == [-0.99609375, 0, 0.99609375]

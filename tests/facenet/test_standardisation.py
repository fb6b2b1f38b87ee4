import math

import numpy as np
import pytest
import torch

from facenet import networks
from facenet.errors import ParamsInvalid
from facenet.standardisation import standardise


def photos(count: int = 3, height: int = 5, width: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def test_fixed_is_the_networks_own() -> None:
    assert torch.equal(standardise(photos()), networks.standardise_fixed(photos()))


@pytest.mark.parametrize("tensor", [False, True])
def test_per_image_against_the_formula(tensor: bool) -> None:
    images = photos()
    images[1] = images[1] // 128 + 90  # low contrast
    found = standardise(torch.from_numpy(images) if tensor else images, "per_image")
    assert (found.dtype, tuple(found.shape)) == (torch.float32, (3, 3, 5, 4))
    for number, image in enumerate(images.astype(float)):
        values = image.ravel().tolist()
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
        expected = (image - mean) / max(deviation, 1 / math.sqrt(len(values)))
        assert np.allclose(found[number].permute(1, 2, 0).numpy(), expected, atol=1e-5)


def test_a_uniform_image_becomes_zero() -> None:
    flat = np.full((1, 8, 8, 3), 200, np.uint8)
    assert torch.equal(standardise(flat, "per_image"), torch.zeros(1, 3, 8, 8))


def test_a_small_standard_deviation_is_clamped() -> None:
    """One of 3,072 values is 1 higher: the standard deviation is 0.018, as is the clamp 1 / sqrt(3072)."""
    nearly = np.full((1, 32, 32, 3), 7, np.uint8)
    nearly[0, 0, 0, 0] = 8
    assert standardise(nearly, "per_image").max().item() == pytest.approx(math.sqrt(3072), rel=1e-3)


def test_none_keeps_every_value() -> None:
    found = standardise(photos(), "none")
    assert found.dtype == torch.float32
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(found.permute(0, 2, 3, 1).numpy(), photos().astype(np.float32))
    assert torch.equal(found, standardise(torch.from_numpy(photos()), "none"))


@pytest.mark.parametrize("tensor", [False, True])
def test_dlib_subtracts_fixed_means(tensor: bool) -> None:
    found = standardise(torch.from_numpy(photos()) if tensor else photos(), "dlib")
    expected = (photos().astype(float) - (122.782, 117.001, 104.298)) / 256
    assert (found.dtype, found.is_contiguous(memory_format=torch.channels_last)) == (torch.float32, True)
    np.testing.assert_allclose(found.permute(0, 2, 3, 1).numpy(), expected, atol=1e-7)


def test_an_unknown_kind_lists_all_kinds() -> None:
    with pytest.raises(ParamsInvalid, match="fixed, per_image, none, dlib"):
        standardise(photos(), "whiten")

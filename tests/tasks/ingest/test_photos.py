import numpy as np
import pytest

from facenet.images import decode
from tasks.ingest.photos import Limits, judge
from tests.zoo import Animal, zoo

LIMITS = Limits(min_side=20, max_pixels=150_000_000)
ZOO = zoo()


@pytest.mark.parametrize("name", ZOO)
def test_every_file_of_the_zoo_gets_the_right_verdict(name: str) -> None:
    animal: Animal = ZOO[name]
    verdict = judge(animal.data, LIMITS)
    assert (verdict.status, verdict.width, verdict.height) == (animal.status, animal.width, animal.height)
    assert bool(verdict.reason) == (verdict.status != "kept")
    assert (verdict.mode is None) == (verdict.width is None)


@pytest.mark.parametrize("name", [name for name, animal in ZOO.items() if animal.status == "kept"])
def test_the_stored_image_has_the_same_pixels(name: str) -> None:
    data = ZOO[name].data
    stored = judge(data, LIMITS).png or data
    np.testing.assert_array_equal(decode(stored), decode(data))
    assert stored[:3] in (b"\xff\xd8\xff", b"\x89PN")


def test_plain_photos_are_stored_unchanged() -> None:
    assert judge(ZOO["jpeg.jpg"].data, LIMITS).png is None
    assert judge(ZOO["jpeg_orientation_6.jpg"].data, LIMITS).png is not None


def test_limits_are_parameters_and_named_in_the_reason() -> None:
    data = ZOO["jpeg.jpg"].data
    small = judge(data, Limits(min_side=49, max_pixels=10**6))
    assert (small.status, small.width, small.height, small.mode) == ("too_small", 64, 48, "RGB")
    assert "ingest.min_side requires 49" in small.reason
    assert judge(data, Limits(min_side=48, max_pixels=10**6)).status == "kept"
    assert judge(data, Limits(min_side=1, max_pixels=64 * 48 - 1)).status == "too_large"

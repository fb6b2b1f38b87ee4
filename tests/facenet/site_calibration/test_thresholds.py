"""The largest threshold that keeps the rate, against trying every distance."""

import pytest

from facenet.site_calibration.people_pairs import people_pairs
from facenet.site_calibration.thresholds import rate_thresholds
from tests.facenet.site_calibration.test_people_pairs import templates


@pytest.mark.parametrize("far", [0.001, 0.04, 0.3, 0.99])
def test_no_larger_distance_keeps_the_rate(far: float) -> None:
    owners = [name for name, count in zip("abcdef", (5, 1, 9, 2, 2, 3), strict=True) for _ in range(count)]
    pairs = people_pairs(templates(owners), owners, "cosine")
    (threshold,) = rate_thresholds(pairs, (far,))
    rate = {float(d): pairs.accepted(float(d)).sum() / 30 for d in pairs.different}
    keeping = [distance for distance, reached in rate.items() if reached <= far + 1e-12]
    assert threshold == max(keeping)

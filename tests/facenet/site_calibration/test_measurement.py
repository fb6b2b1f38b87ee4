"""A site measured on simulated people whose faces have known distances."""

import numpy as np
import pytest

from facenet.errors import DataInvalid
from facenet.evaluation.distances import unit_rows
from facenet.matching import Threshold
from facenet.site_calibration.measurement import SiteMeasurement, measure_site
from tests.calibration import calibration

EVALUATION = calibration(
    metric="cosine", thresholds=(Threshold(0.1, 0.4, supported=True), Threshold(0.01, 0.3, supported=True))
)


def site(people: int, photos: int = 4, *, seed: int = 0, far: float = 0.01) -> SiteMeasurement:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(people, 16))
    faces = unit_rows(np.repeat(centres, photos, axis=0) + 0.5 * random.normal(size=(people * photos, 16)))
    owners = [f"person {number // photos}" for number in range(people * photos)]
    return measure_site(faces, owners, EVALUATION, far=far, name="office", model_digest="d" * 64)


def test_twenty_four_people_give_a_threshold_an_interval_and_what_is_missing() -> None:
    measured = site(24)
    point = measured.default
    assert [p.far for p in measured.points] == [0.1, 0.01]
    assert point.reached.rate <= 0.01
    assert point.reached.group[0] <= 0.01 <= point.reached.long_run[1] <= point.reached.group[1] < 0.06
    assert point.shortage == "measured on 24 people; at least 40 are needed"
    assert (point.missing_people, point.missing_pairs) == (54, 78 * 77 // 2 - 276)
    assert point.evaluation_threshold == 0.3
    assert point.evaluation_reached is not None
    assert point.evaluation_reached.rate == pytest.approx(measured.pairs.accepted(0.3).sum() / (24 * 23))
    assert point.true_accept_rate is not None
    assert point.true_accept_rate > 0.9
    calibration_ = measured.calibration
    assert (calibration_.people, calibration_.people_pairs, calibration_.photos) == (24, 276, 96)
    assert calibration_.default.threshold == point.threshold
    assert sum(calibration_.histogram.same) == 24 * 6
    assert measured.curve is not None
    assert calibration_.slope == measured.curve.slope


def test_enough_people_support_the_rate_and_an_unmeasured_rate_has_no_difference() -> None:
    measured = site(80, far=0.02)
    assert (measured.default.shortage, measured.default.missing_people) == (None, 0)
    assert measured.default.evaluation_threshold is None
    assert measured.default.evaluation_reached is None
    assert [point.far for point in measured.points] == [0.1, 0.02, 0.01, 0.001]


def test_people_with_one_photo_give_a_threshold_without_a_curve() -> None:
    measured = site(24, 1)
    assert (measured.curve, measured.calibration.slope, measured.default.true_accept_rate) == (None,) * 3
    assert measured.calibration.applied(EVALUATION).slope == EVALUATION.slope


def test_too_few_people_are_an_error() -> None:
    with pytest.raises(DataInvalid, match="7 people with a usable photo are too few"):
        site(7)

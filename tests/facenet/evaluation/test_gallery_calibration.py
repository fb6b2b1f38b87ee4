"""Thresholds between and above measured galleries, what is supported, and the JSON."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet.evaluation.gallery_calibration import GalleryCalibration

FPIRS = (0.1, 0.01)
MEASURED = GalleryCalibration(
    people=100,
    slope=20.0,
    intercept=10.0,
    sizes=(1, 2, 4),
    fpirs=FPIRS,
    thresholds=((0.8, 0.6), (0.7, 0.5), (0.64, 0.44)),
)


@pytest.mark.parametrize(
    ("fpir", "photos", "expected"),
    [
        (0.1, 1, 0.8),
        (0.01, 4, 0.44),
        (0.1, 3, 0.7 - 0.06 * np.log2(1.5)),
        (10**-1.5, 1, 0.7),
        (0.1, 40, 0.44),  # ten galleries of 4 photos, each at a tenth of the rate
    ],
)
def test_thresholds_are_linear_in_the_logarithms(fpir: float, photos: int, expected: float) -> None:
    assert MEASURED.threshold(fpir, photos) == pytest.approx(expected)


@given(st.floats(0.01, 0.1), st.floats(0.01, 0.1), st.integers(1, 40), st.integers(1, 40))
def test_larger_galleries_and_smaller_rates_need_smaller_distances(
    rate: float, other: float, photos: int, more: int
) -> None:
    few, many = sorted((photos, more))
    strict, loose = sorted((rate, other))
    if strict >= 0.01 * max(1, many / 4):
        assert MEASURED.threshold(strict, many) <= MEASURED.threshold(strict, few) + 1e-12
        assert MEASURED.threshold(strict, many) <= MEASURED.threshold(loose, many) + 1e-12


@pytest.mark.parametrize(("fpir", "photos"), [(0.5, 1), (0.001, 1), (0.01, 5), (0.1, 41)])
def test_rates_outside_the_measurement_are_refused(fpir: float, photos: int) -> None:
    with pytest.raises(ValueError, match=rf"FPIR {fpir:g} in a gallery of {photos} photos: rates of 0.01"):
        MEASURED.threshold(fpir, photos)


def test_a_rate_needs_pairs_of_people() -> None:
    assert MEASURED.people_pairs == 4950
    assert MEASURED.shortage() is MEASURED.shortage(0.1, 16) is None
    assert MEASURED.shortage(0.1, 17) == (
        "measured on 4,950 pairs of people, which support FPIR 0.1 in galleries of up to 16 photos; this one "
        "has 17"
    )


def test_too_few_people_support_nothing() -> None:
    few = GalleryCalibration(people=10, slope=1.0, intercept=0.0)
    assert few.shortage() == few.shortage(0.1, 1) == "measured on 10 people; at least 40 are needed"
    with pytest.raises(ValueError, match=r"no threshold for FPIR 0.1: measured on 10 people"):
        few.threshold(0.1, 1)


def test_likelihood_ratios_fall_and_stay_finite() -> None:
    ratios = MEASURED.likelihood_ratios(np.array([0.0, 0.5, 1.0, 1e6, -1e6]))
    assert ratios[:3] == pytest.approx(np.exp([10, 0, -10]))
    assert np.isfinite(ratios).all()


def test_json_round_trip() -> None:
    fields = json.loads(json.dumps(dataclasses.asdict(MEASURED)))
    assert GalleryCalibration.parse(fields) == MEASURED
    few = GalleryCalibration(people=10, slope=1.0, intercept=0.0)
    assert GalleryCalibration.parse(dataclasses.asdict(few)) == few


@pytest.mark.parametrize(
    "change",
    [{"surplus": 1}, {"thresholds": [[0.8, 0.6]]}, {"thresholds": [[0.8], [0.7], [0.6]]}, {"people": None}],
)
def test_invalid_fields_are_refused(change: dict[str, object]) -> None:
    fields = dataclasses.asdict(MEASURED) | change
    with pytest.raises((TypeError, ValueError)):
        GalleryCalibration.parse({name: value for name, value in fields.items() if value is not None})

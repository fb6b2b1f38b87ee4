"""The file is read as it was written, belongs to one model, and replaces thresholds and curve."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from facenet.errors import WeightsInvalid
from facenet.evaluation.histogram import Histogram
from facenet.site_calibration.calibration import SiteCalibration, SiteMatcher, SiteThreshold
from tests.calibration import calibration


def site_calibration(**fields: Any) -> SiteCalibration:
    """Return a site calibration of 24 people, with other values for the named fields."""
    point = SiteThreshold(
        far=0.01, threshold=0.25, group=(0.0, 0.04), long_run=(0.003, 0.02), supported=False
    )
    values: dict[str, Any] = {
        "name": "office",
        "model_digest": "d" * 64,
        "far": 0.01,
        "thresholds": (dataclasses.replace(point, far=0.1, threshold=0.5), point),
        "slope": 20.0,
        "intercept": 6.0,
        "people": 24,
        "people_pairs": 276,
        "photos": 96,
        "histogram": Histogram(width=0.5, same=(3, 0), different=(1, 9)),
    }
    return SiteCalibration(**{**values, **fields})


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    site = site_calibration()
    site.write(tmp_path / "site.json")
    assert SiteCalibration.read(tmp_path / "site.json") == site
    assert str(site) == "office (24 people, FAR 0.01)"
    assert next(iter(json.loads(site.to_json()))) == "format"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 2}, "unsupported format, expected 1"),
        ({"far": 0.5}, "not a valid site calibration"),
        ({"thresholds": [{"far": 0.01}]}, "not a valid site calibration"),
        ({"owner": "x"}, "not a valid site calibration"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = tmp_path / "site.json"
    path.write_text(json.dumps(json.loads(site_calibration().to_json()) | changed))
    with pytest.raises(WeightsInvalid, match=message):
        SiteCalibration.read(path)
    with pytest.raises(WeightsInvalid, match="No such file"):
        SiteCalibration.read(tmp_path / "nowhere.json")


def test_another_model_is_refused(tmp_path: Path) -> None:
    site_calibration().check("d" * 64, tmp_path)
    with pytest.raises(WeightsInvalid, match=r"belongs to the model dddddddddddd, and this is eeeeeeeeeeee"):
        site_calibration().check("e" * 64, tmp_path)


def test_it_replaces_what_the_site_measured_and_nothing_else() -> None:
    evaluation = calibration()
    applied = site_calibration().applied(evaluation)
    assert isinstance(applied, SiteMatcher)
    assert (applied.site_name, evaluation.site_name) == ("office", None)
    assert (applied.threshold, applied.threshold_at(0.1), applied.slope, applied.intercept) == (
        0.25,
        0.5,
        20.0,
        6.0,
    )
    assert applied.shortage(0.01) == "measured on 24 people; at least 40 are needed"
    replaced = {"threshold", "thresholds", "slope", "intercept", "people", "people_pairs", "histogram"}
    for field in dataclasses.fields(evaluation):
        if field.name not in replaced:
            assert getattr(applied, field.name) == getattr(evaluation, field.name)
    kept = site_calibration(slope=None, intercept=None).applied(evaluation)
    assert (kept.slope, kept.intercept) == (evaluation.slope, evaluation.intercept)

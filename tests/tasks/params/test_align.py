"""Section align: ranges, choices and unknown keys."""

from typing import Any, get_args

import pytest

from facenet.detection import DEFAULT_TEMPLATE, TEMPLATES
from tasks.params.align import AlignParams
from tests.tasks.params.changed import parsed, refusal, refused, unknown


def test_values_at_the_limits_are_accepted() -> None:
    changes = {"min_face": 12, "thresholds": [0, 1, 0.5], "margin": 0, "max_side": 12, "factor": 0.01}
    align = parsed({f"align.{key}": value for key, value in changes.items()}).align
    assert (align.min_face, align.thresholds, align.margin, align.max_side) == (12, (0.0, 1.0, 0.5), 0, 12)


@pytest.mark.parametrize("image_format", ["webp", "png", "jpeg"])
def test_each_image_format(image_format: str) -> None:
    assert parsed({"align.image_format": image_format}).align.image_format == image_format


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("min_face", 11),
        ("min_face", 20.5),
        ("thresholds", [0.6, 0.7]),
        ("thresholds", [0.6, 0.7, 1.7]),
        ("thresholds", [-0.1, 0.7, 0.7]),
        ("factor", 0),
        ("factor", 1.0),
        ("max_side", 11),
        ("min_face", float("nan")),
        ("min_face", float("inf")),
        ("thresholds", [0.6, float("nan"), 0.7]),
        ("factor", float("nan")),
        ("max_side", float("inf")),
        ("selection", "first"),
        ("method", "affine"),
        ("image_size", 0),
        ("margin", -1),
        ("margin_in", "face"),
        ("template", "insightface"),
        ("image_format", "gif"),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: Any) -> None:
    refused(f"align.{key}", value)


def test_the_templates_are_those_of_the_detector() -> None:
    assert set(get_args(AlignParams.model_fields["template"].annotation)) == set(TEMPLATES)
    assert parsed({"align.template": "dlib"}).align.template == "dlib"


def test_parameters_from_before_there_were_templates_mean_the_default() -> None:
    section = parsed({}).align.model_dump()
    del section["template"]
    assert AlignParams(**section).template == DEFAULT_TEMPLATE


def test_unknown_keys_are_refused() -> None:
    unknown("align")


def test_whole_photos_have_no_margin() -> None:
    assert "set margin to 0, not 16" in refusal({"align.method": "none"})
    assert parsed({"align.method": "none", "align.margin": 0}).align.method == "none"

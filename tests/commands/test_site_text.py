"""What is printed names every number that was measured."""

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from commands.site_text import as_json, rejections, text
from tests.facenet.site_calibration.test_measurement import site

MODEL: Any = SimpleNamespace(origin="tests", digest="d" * 64)


def test_rejections_are_counted_most_frequent_first() -> None:
    assert rejections(Counter({"no_face": 1, "several_faces": 3, "corrupt": 1})) == (
        "3 several faces, 1 corrupt, 1 no face"
    )


def test_a_claim_that_is_not_supported_says_what_is_missing() -> None:
    measured = site(24)
    lines = text(measured, "").splitlines()
    assert lines[0] == "office: 24 people, 96 photos"
    assert lines[1] == f"threshold {measured.default.threshold:.4f} for FAR 0.01"
    assert "  not supported: measured on 24 people; at least 40 are needed" in lines
    assert "  needed: 54 more people, who bring 2,727 more pairs of people" in lines
    assert any(line.startswith("  the evaluation's threshold 0.3000 has a FAR of ") for line in lines)
    assert any(line.startswith("probability 0.5 at distance ") for line in lines)
    assert any(line.startswith("other rates: FAR 0.1 ") for line in lines)


def test_what_could_not_be_measured_is_said() -> None:
    lines = text(site(24, 1), "3 no face").splitlines()
    assert lines[0] == "office: 24 people, 24 photos; not used: 3 no face"
    assert "  nobody has two photos, so how often one person matches is unknown" in lines
    assert "probability: that of the evaluation; the photos do not give another one" in lines
    enough = text(site(80, far=0.02), "")
    assert "  supported: there are enough people for this rate" in enough
    assert "  the evaluation has no threshold for FAR 0.02" in enough
    many = text(replace(site(24), usable=7_000), "")
    assert many.startswith("office: 24 people, 96 of 7,000 photos, chosen at random\n")


def test_json_is_strict_and_complete() -> None:
    measured = site(24)
    found = as_json(measured, MODEL, [("a.jpg", "no_face")], [("b", "c", 0.9995)], ["site.json"])
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(found))
    assert found["far_interval"] == list(measured.default.reached.group)
    assert found["rejected"] == {"no_face": 1}
    assert found["look_alikes"] == [{"left": "b", "right": "c", "probability": 0.9995}]
    assert [rate["far"] for rate in found["rates"]] == [0.1, 0.01]
    assert found["evaluation"]["threshold"] == 0.3
    assert (
        found["curves"]["site"]["midpoint"]
        == found["curves"]["site"]["intercept"] / (found["curves"]["site"]["slope"])
    )
    assert as_json(replace(measured, curve=None), MODEL, [], [], [])["curves"]["site"] is None

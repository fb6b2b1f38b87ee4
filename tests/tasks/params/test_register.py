"""Section register: gates, the promotion rule, defaults and unknown keys."""

from typing import Any

import pytest

from tests.tasks.params.changed import MISSING, parsed, refused, unknown


def test_defaults() -> None:
    changes = {"register.promotion.require_significance": MISSING}
    register = parsed(changes).register
    assert register.report_photos == "auto"
    assert register.promotion.require_significance is False


def test_a_model_may_have_no_gates() -> None:
    assert parsed({"register.gates": {}}).register.gates == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", None),
        ("gates", {"accuracy": "high"}),
        ("gates", ["accuracy"]),
        ("promotion.min_gain", None),
        ("promotion.min_gain", "much"),
        ("promotion.require_significance", "perhaps"),
        ("report_photos", "some"),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: Any) -> None:
    refused(f"register.{key}", value)


def test_unknown_keys_are_refused() -> None:
    unknown("register")
    unknown("register.promotion")

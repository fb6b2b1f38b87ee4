"""Section register: gates, the promotion rule, defaults and unknown keys."""

from pathlib import Path
from typing import Any

import pytest

from tasks.params.register import Bounds, lower_is_better
from tasks.tracking.store import client
from tests.tasks.params.changed import MISSING, parsed, refusal, refused, unknown


def test_defaults() -> None:
    changes = {"register.promotion.require_significance": MISSING}
    register = parsed(changes).register
    assert register.report_photos == "auto"
    assert register.promotion.require_significance is False


def test_a_gate_is_a_minimum_or_a_range() -> None:
    gates = {"accuracy": 0.6, "eer": {"max": 0.1}, "auc": {"min": 0.9}, "val": {"min": 0, "max": 1}}
    assert parsed({"register.gates": gates}).register.gates == {
        "accuracy": 0.6,
        "eer": Bounds(max=0.1),
        "auc": Bounds(min=0.9),
        "val": Bounds(min=0, max=1),
    }


LOWER = ("eer", "all_pairs_eer", "accuracy_std", "val_std", "val_standard_error", "far", "fpir", "fallbacks")
LOWER_TOO = ("calibration_log_loss", "calibration_brier", "calibration_error", "leaked_names")
HIGHER = ("accuracy", "val", "auc", "coverage", "rank1", "tpir", "pairs_used", "bcubed_f", "far_target")


@pytest.mark.parametrize("metric", [*LOWER, *LOWER_TOO])
def test_a_bare_number_is_refused_where_lower_is_better(metric: str) -> None:
    assert lower_is_better(metric)
    message = refusal({"register.gates": {"accuracy": 0.6, metric: 0.1}})
    assert f"  register.gates: {metric}: 0.1 is a minimum, but lower is better" in message
    assert f"write {metric}: {{max: 0.1}}" in message
    assert parsed({"register.gates": {metric: {"max": 0.1}}}).register.gates == {metric: Bounds(max=0.1)}


@pytest.mark.parametrize("metric", HIGHER)
def test_a_bare_number_is_a_minimum_elsewhere(metric: str) -> None:
    assert not lower_is_better(metric)
    assert parsed({"register.gates": {metric: 0.1}}).register.gates == {metric: 0.1}


@pytest.mark.parametrize("name", ["facenet", "a", "Gesichter 2024", "faces-v1.2", "ada_β", "x(1)", "n" * 200])
def test_mlflow_accepts_each_valid_model_name(name: str, mlflow_store: Path) -> None:
    assert parsed({"register.model": name}).register.model == name
    client().create_registered_model(name)
    assert client().get_registered_model(name).name == name


REFUSED_NAMES = ["", " ", "a/b", "a:b", ".", "..", "../a", "a@b", "a#b", "a%b", "a'b", "a?", "a ", "a\n"]


@pytest.mark.parametrize("name", [*REFUSED_NAMES, "n" * 201, "-a", "a."])
def test_other_model_names_are_refused(name: str) -> None:
    refused("register.model", name)


def test_a_model_may_have_no_gates() -> None:
    assert parsed({"register.gates": {}}).register.gates == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", None),
        ("gates", {"accuracy": "high"}),
        ("gates", ["accuracy"]),
        ("gates", {"accuracy": None}),
        ("gates", {"accuracy": True}),
        ("gates", {"accuracy": [0.1, 0.2]}),
        ("gates", {"accuracy": {}}),
        ("gates", {"accuracy": {"least": 0.1}}),
        ("gates", {"accuracy": {"max": "low"}}),
        ("gates", {"accuracy": {"min": 0.6, "max": 0.5}}),
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

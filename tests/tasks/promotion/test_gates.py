"""Gates: what passes, and what the error says of what does not."""

from typing import Any

import pytest

from facenet.errors import GateFailed
from tasks.params.register import Bounds
from tasks.promotion.gates import check_gates, failures, is_number, passes, range_text


def test_a_metric_on_its_gate_passes() -> None:
    assert check_gates({"accuracy": 0.6}, {"accuracy": 0.6}) == {"accuracy": {"least": 0.6, "got": 0.6}}
    assert check_gates({"eer": 0.1}, {"eer": Bounds(max=0.1)}) == {"eer": {"most": 0.1, "got": 0.1}}
    assert check_gates({"far": 0.1}, {"far": Bounds(min=0.0, max=0.1)}) == {
        "far": {"least": 0.0, "most": 0.1, "got": 0.1}
    }
    assert check_gates({}, {}) == {}


@pytest.mark.parametrize("got", [None, "0.9", True, float("nan"), float("-inf"), 0.59])
def test_anything_else_fails_by_name(got: Any) -> None:
    assert not passes(got, 0.6)
    with pytest.raises(GateFailed, match=r"accuracy: required at least 0\.6, got"):
        check_gates({"accuracy": got, "auc": 1}, {"auc": 0.1, "accuracy": 0.6})


@pytest.mark.parametrize("got", [None, "0.01", False, float("nan"), float("inf"), 0.11])
def test_a_metric_above_its_maximum_fails(got: Any) -> None:
    assert not passes(got, Bounds(max=0.1))
    with pytest.raises(GateFailed, match=r"eer: required at most 0\.1, got"):
        check_gates({"eer": got, "accuracy": 1}, {"eer": Bounds(max=0.1), "accuracy": 0.6})


def test_both_bounds_are_named() -> None:
    gate = Bounds(min=0.2, max=0.5)
    assert range_text(gate) == "at least 0.2 and at most 0.5"
    assert [passes(value, gate) for value in (0.1, 0.2, 0.5, 0.6)] == [False, True, True, False]
    assert failures({"val": 0.1}, {"val": gate}) == ["val: required at least 0.2 and at most 0.5, got 0.1"]


def test_the_advice_fits_a_model_that_was_not_trained() -> None:
    with pytest.raises(GateFailed, match="Train a better model"):
        check_gates({"accuracy": 0.5}, {"accuracy": 0.6})
    with pytest.raises(GateFailed, match=r"train\.epochs is 0\): set others in train\.init") as raised:
        check_gates({"accuracy": 0.5}, {"accuracy": 0.6}, trained=False)
    assert "better" not in str(raised.value)


def test_integers_are_numbers_and_booleans_are_not() -> None:
    assert is_number(3)
    assert not is_number(False)

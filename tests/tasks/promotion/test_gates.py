"""Gates: which metrics pass, and the message for those that do not."""

from typing import Any

import pytest

from facenet.errors import GateFailed
from tasks.promotion.gates import check_gates, is_number, passes


def test_a_metric_equal_to_its_gate_passes() -> None:
    assert check_gates({"accuracy": 0.6}, {"accuracy": 0.6}) == {"accuracy": {"least": 0.6, "got": 0.6}}
    assert check_gates({}, {}) == {}


@pytest.mark.parametrize("got", [None, "0.9", True, float("nan"), 0.59])
def test_anything_else_fails_and_is_named(got: Any) -> None:
    assert not passes(got, 0.6)
    with pytest.raises(GateFailed, match=r"accuracy: required at least 0\.6, got"):
        check_gates({"accuracy": got, "eer": 1}, {"eer": 0.1, "accuracy": 0.6})


def test_integers_are_numbers_and_booleans_are_not() -> None:
    assert is_number(3)
    assert not is_number(False)

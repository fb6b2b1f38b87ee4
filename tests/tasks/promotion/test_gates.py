"""Gates: what passes, and what is told of what does not."""

from typing import Any

import pytest

from facenet.errors import GateFailed
from tasks.promotion.gates import check_gates, is_number, passes


def test_a_figure_on_its_gate_passes() -> None:
    assert check_gates({"accuracy": 0.6}, {"accuracy": 0.6}) == {"accuracy": {"least": 0.6, "got": 0.6}}
    assert check_gates({}, {}) == {}


@pytest.mark.parametrize("got", [None, "0.9", True, float("nan"), 0.59])
def test_anything_else_fails_by_name(got: Any) -> None:
    assert not passes(got, 0.6)
    with pytest.raises(GateFailed, match=r"accuracy: wanted at least 0\.6, got"):
        check_gates({"accuracy": got, "eer": 1}, {"eer": 0.1, "accuracy": 0.6})


def test_whole_numbers_are_numbers_and_truth_is_none() -> None:
    assert is_number(3)
    assert not is_number(False)

"""The receipt of the last promotion and the history of all."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.promotion import record as module
from tasks.promotion.record import PromotionResult, check_writable, record

FIRST = PromotionResult(model="faces", action="promoted", reason="better", champion=1, metrics={"1": 0.9})
SECOND = PromotionResult(model="faces", action="refused", reason="worse", champion=1)


def test_the_receipt_is_the_last_decision_and_the_history_has_all(tmp_path: Path) -> None:
    receipt, history = tmp_path / "reports" / "promotion.json", tmp_path / "reports" / "promotions.jsonl"
    for number, result in enumerate((FIRST, SECOND)):
        at = f"2026-01-0{number + 1}T00:00:00+00:00"
        record(replace(result, at=at), receipt=receipt, history=history)
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    assert [(line["at"][:10], line["action"]) for line in lines] == [
        ("2026-01-01", "promoted"),
        ("2026-01-02", "refused"),
    ]
    assert json.loads(receipt.read_text()) == lines[-1]
    assert lines[0]["champion"] == 1
    assert lines[0]["figures"] == {"1": 0.9}
    assert "metrics" not in lines[0]


def test_the_receipt_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(module, "write_report", full)
    with pytest.raises(OSError, match="no space"):
        record(FIRST, receipt=tmp_path / "r.json", history=tmp_path / "h.jsonl")
    assert (tmp_path / "h.jsonl").read_text().count("\n") == 1


def test_a_history_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(DataInvalid, match=r"promotions\.jsonl, .* No alias was moved"):
        check_writable(tmp_path / "reports" / "promotions.jsonl")
    check_writable(tmp_path / "new" / "promotions.jsonl")
    assert (tmp_path / "new" / "promotions.jsonl").read_text() == ""


def test_only_a_refusal_is_refused() -> None:
    assert (FIRST.refused, SECOND.refused) == (False, True)

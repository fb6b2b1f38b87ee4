"""`make bench-evaluate` leaves what it has measured, and skips what this processor would have to emulate."""

import argparse
import sys
from pathlib import Path

import pytest

from benchmarks import evaluate, view2
from tasks.reports import read_report

ARGUMENTS = argparse.Namespace(speed_only=False)


@pytest.fixture
def report(tmp_path: Path) -> evaluate.Report:
    return evaluate.Report(tmp_path / "evaluate.json")


@pytest.mark.parametrize("native", [True, False])
def test_bf16_is_measured_only_where_it_is_native(
    report: evaluate.Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    ran: list[str] = []

    def accuracy(workspace: Path, precision: str) -> float:
        ran.append(precision)
        if precision == "bf16":  # what fp32 gave is stored already
            assert read_report(tmp_path / "evaluate.json")["accuracy"] == {"fp32": 0.988}
        return {"fp32": 0.988, "bf16": 0.9875}[precision]

    monkeypatch.setattr(view2, "accuracy", accuracy)
    monkeypatch.setattr(evaluate, "resolve_precision", lambda *_: "bf16" if native else "fp32")
    evaluate.measure_accuracy(tmp_path, ARGUMENTS, report)
    stored = read_report(tmp_path / "evaluate.json")
    if native:
        assert (ran, stored["accuracy_difference"]) == (["fp32", "bf16"], 0.0005)
    else:
        assert (ran, stored["accuracy_difference"]) == ([], None)
        assert "does not multiply bfloat16" in stored["accuracy"]


def test_a_run_that_is_stopped_leaves_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The protocol is measured for real, on a tenth of the pairs; then the embedding is interrupted."""
    monkeypatch.setattr(evaluate, "REPORT", tmp_path / "evaluate.json")
    monkeypatch.setattr(evaluate, "PHOTOS", 770)
    monkeypatch.setattr(evaluate, "PER_FOLD", 60)
    monkeypatch.setattr(sys, "argv", ["evaluate"])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "measure_embedding", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate.main()
    stored = read_report(tmp_path / "evaluate.json")
    assert stored["protocol_ratio"] > 1
    assert stored["protocol"]["largest_difference_of_grid"] < 1e-10
    assert stored["embed_ratio"] is None
    shown = capsys.readouterr().err
    assert "protocol, arccos: reference" in shown

"""The remote is asked by another process; one that is missing is in test_doctor.py."""

import sys
from pathlib import Path

import pytest

from commands.checks import remote


def test_without_dvc_there_is_nothing_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(remote.check_remote()) == []


@pytest.mark.parametrize(
    ("code", "state", "message", "fix"),
    [
        ("print('team at /x answers')", "ok", "team at /x answers", ""),
        ("raise SystemExit(3)", "note", "there is no default remote", "dvc remote add --default"),
        ("print('it is down'); print('start it'); raise SystemExit(1)", "wrong", "it is down", "start it"),
        ("raise ValueError('damaged')", "wrong", "ValueError: damaged", "dvc doctor"),
        ("import time; time.sleep(60)", "wrong", "does not answer within 0.5 s", "dvc remote list"),
    ],
)
def test_each_end_of_that_process_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, state: str, message: str, fix: str
) -> None:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remote, "COMMAND", (sys.executable, "-c", code))
    monkeypatch.setattr(remote, "SECONDS", 0.5 if "sleep" in code else 20.0)
    (finding,) = remote.check_remote()
    assert (finding.state, message in finding.message, fix in finding.fix) == (state, True, True), finding

"""One run at a time in a workspace."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import workspace
from flows.workspace import WorkspaceInvalid, exclusive

HOLDER = """
import time
from flows.workspace import exclusive
with exclusive("flow run 'other'", print):
    print("held", flush=True)
    time.sleep({seconds})
"""


@pytest.fixture(autouse=True)
def _in_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workspace, "POLL_SECONDS", 0.05)


def holder(root: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(seconds=seconds)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_waits_and_says_for_whom(root: Path) -> None:
    said: list[str] = []
    with holder(root, seconds=1) as other:
        start = time.monotonic()
        with exclusive("flow run 'mine'", said.append):
            assert time.monotonic() - start > 0.5
    assert len(said) == 1
    assert f"flow run 'other', process {other.pid}" in said[0]


def test_a_killed_run_holds_nothing(root: Path) -> None:
    with holder(root, seconds=600) as other:
        other.kill()
    said: list[str] = []
    with exclusive("flow run 'mine'", said.append):
        assert said == []


def test_it_is_free_again_after_an_error() -> None:
    with pytest.raises(KeyError), exclusive("first", print):
        raise KeyError
    said: list[str] = []
    with exclusive("second", said.append):
        assert workspace.LOCK.read_text().startswith("second, process")
    assert said == []
    assert workspace.LOCK.read_text() == ""


def test_a_folder_without_dvc_is_no_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(WorkspaceInvalid, match="elsewhere is not a DVC workspace"), exclusive("run", print):
        pass

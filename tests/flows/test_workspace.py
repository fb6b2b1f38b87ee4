"""One run at a time in a workspace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import workspace
from flows.workspace import WorkspaceInvalid, exclusive
from tasks.tracking import TrackingFailed

HOLDER = """
import sys
from flows.workspace import exclusive
with exclusive("flow run 'other'", print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _in_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workspace, "POLL_SECONDS", 0.05)


def holder(root: Path) -> subprocess.Popen[str]:
    """Start a run that holds the workspace until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_waits_and_names_the_first(root: Path) -> None:
    said: list[str] = []
    with holder(root) as other:

        def on_wait(words: str) -> None:
            said.append(words)
            other.stdin.close()

        with exclusive("flow run 'mine'", on_wait):
            assert other.stdin.closed
    assert len(said) == 1
    assert f"flow run 'other', process {other.pid}" in said[0]


def test_a_killed_run_releases_the_lock(root: Path) -> None:
    with holder(root) as other:
        other.kill()
    said: list[str] = []
    with exclusive("flow run 'mine'", said.append):
        assert said == []


def test_the_lock_is_released_after_an_error() -> None:
    with pytest.raises(KeyError), exclusive("first", print):
        raise KeyError
    said: list[str] = []
    with exclusive("second", said.append):
        assert workspace.LOCK.read_text().startswith("second, process")
    assert said == []
    assert workspace.LOCK.read_text() == ""


def test_a_folder_without_dvc_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(WorkspaceInvalid, match="elsewhere is not a DVC workspace"), exclusive("run", print):
        pass


def test_a_workspace_that_cannot_be_locked_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".dvc" / "tmp").write_text("a file")
    with (
        pytest.raises(
            WorkspaceInvalid, match=r"cannot be locked: .*'\.dvc/tmp'\. The workspace has to be writable"
        ),
        exclusive("run", print),
    ):
        pass


def test_a_damaged_mlflow_database_is_named_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path("mlflow.db").write_text("half a database")
    with pytest.raises(TrackingFailed, match="is not an SQLite database"), exclusive("run", print):
        pass
    Path("mlflow.db").unlink()
    with exclusive("run", print):
        pass


def test_without_git_dvc_has_to_be_configured(tmp_path: Path) -> None:
    (tmp_path / ".git").rmdir()
    fix = r"is not a git repository.* `dvc config --local core\.no_scm true`"
    with pytest.raises(WorkspaceInvalid, match=fix), exclusive("run", print):
        pass
    (tmp_path / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    with exclusive("run", print):
        pass

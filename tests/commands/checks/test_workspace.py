"""params.yaml is read as it is now; locks of running programs are left alone."""

from pathlib import Path

import pytest

from commands.checks.workspace import check_locks, check_mirrors, check_workspace
from tests.tasks.params.changed import text


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (".dvc", ".git"):
        (tmp_path / name).mkdir()
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").write_text(text({}))
    return tmp_path


def test_a_wrong_parameter_is_named(workspace: Path) -> None:
    assert [finding.state for finding in check_workspace()] == ["ok", "ok"]
    (workspace / "params.yaml").write_text(text({"train.epochs": -1}))
    finding = list(check_workspace())[1]
    assert (finding.check, finding.state) == ("params", "wrong")
    assert "train.epochs" in finding.message
    assert finding.fix.startswith("correct params.yaml")


def test_dvc_without_git_must_be_configured_for_it(workspace: Path) -> None:
    (workspace / ".git").rmdir()
    finding = next(check_workspace())
    assert (finding.state, finding.fix) == ("wrong", "dvc config --local core.no_scm true")
    (workspace / ".dvc" / "config.local").write_text("[core]\n no_scm = true\n")
    assert next(check_workspace()).state == "ok"
    (workspace / ".dvc" / "config.local").unlink()
    (workspace / ".dvc").rmdir()
    assert next(check_workspace()).message == f"{workspace} has no .dvc"


def test_the_lock_of_a_git_that_runs_is_none_of_our_business(workspace: Path) -> None:
    (workspace / ".git" / "index.lock").touch()
    assert list(check_locks()) == []


def test_the_mirrors_that_exist_stay_in_the_fix(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_MIRRORS", f"{workspace}:/nowhere")
    (finding,) = check_mirrors()
    assert finding.fix == f"mount it, or export FACENET_MIRRORS={workspace}"
    monkeypatch.setenv("FACENET_MIRRORS", str(workspace))
    (finding,) = check_mirrors()
    assert finding.state == "ok"

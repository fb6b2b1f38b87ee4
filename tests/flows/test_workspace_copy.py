"""The copy of a workspace has all that stages read, shares cache and store, and leaves the original alone."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flows.stage import reproduce
from flows.workspace_copy import FOLDER, settings, workspace_copy
from tasks.tracking import commit


def ignore(line: str) -> None:
    pass


def test_it_has_what_stages_read_and_not_what_they_write(workspace: Any) -> None:
    reproduce("ingest", ignore)
    Path("notes.txt").write_text("not in dvc.yaml")
    Path("__pycache__").mkdir()
    with workspace_copy() as copy:
        names = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
        assert names == {"dvc.yaml", "dvc.lock", "stage.py", ".dvc/config", ".dvc/config.local", ".dvcignore"}
        assert (copy / "data" / "cache").resolve() == Path("data/cache").absolute()
        assert (copy / "data" / "downloads").resolve() == Path("data/downloads").absolute()
    assert not FOLDER.exists()
    assert Path("data/cache").is_dir()


def test_a_stage_comes_from_the_cache_in_both_directions(workspace: Any) -> None:
    reproduce("ingest", ignore)
    with workspace_copy() as copy:
        seen: list[str] = []
        assert reproduce("ingest", seen.append, folder=copy).unchanged
        assert "ingest at work" not in seen
        assert reproduce("align", ignore, folder=copy).unchanged is None
    assert not Path("reports/align.json").exists()
    assert reproduce("align", ignore).unchanged == "unchanged, outputs taken from DVC's cache"


def test_after_an_error_it_stays_and_the_next_one_updates_the_code(workspace: Any) -> None:
    def fail(copy: Path) -> None:
        (copy / "models/checkpoints").mkdir(parents=True)
        (copy / "models/checkpoints/last.pt").touch()
        (copy / "stage.py").write_text("changed in the copy")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), workspace_copy() as copy:
        fail(copy)
    workspace.command("align", "print('new')")
    with workspace_copy() as copy:
        assert (copy / "models/checkpoints/last.pt").exists()
        assert (copy / "align.py").read_text() == "print('new')"
        assert (copy / "stage.py").read_text() == Path("stage.py").read_text()


def test_the_user_s_configuration_applies_in_the_copy(workspace: Any) -> None:
    Path(".dvc/config.local").write_text("[cache]\n    type = copy\n")
    with workspace_copy() as copy:
        text = (copy / ".dvc/config.local").read_text()
        assert "type = copy" in text
        (directory,) = re.findall(r"^\s*dir = (.*)$", text, re.MULTILINE)
        assert (copy / ".dvc" / directory).resolve() == Path(".dvc/cache").absolute()
    assert Path(".dvc/config.local").read_text() == "[cache]\n    type = copy\n"


def test_stages_in_it_use_the_store_and_files_of_the_workspace(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("FACENET_MIRRORS", "/data/lfw")
    found = settings()
    assert found["MLFLOW_TRACKING_URI"] == f"sqlite:///{workspace.root / 'mlflow.db'}"
    assert found["FACENET_MIRRORS"] == f"/data/lfw,{workspace.root}"
    assert "GIT_DIR" not in found


def test_in_a_git_repository_a_point_has_the_commit_and_is_dirty(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> None:
        user = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *user, *words], check=True)

    Path("params.yaml").write_text("margin: 0.2\n")
    git("init", "-q")
    git("add", "params.yaml", "stage.py")
    git("commit", "-qm", "Begin")
    clean, index = commit(), Path(".git/index").read_bytes()
    assert len(clean) == 40
    with workspace_copy() as copy, monkeypatch.context() as stage:
        (copy / "params.yaml").write_text("margin: 0.3\n")
        for name, value in {**settings(), "DVC_ROOT": str(copy.absolute())}.items():
            stage.setenv(name, value)
        assert commit() == f"{clean}-dirty"
    assert commit() == clean
    assert Path(".git/index").read_bytes() == index

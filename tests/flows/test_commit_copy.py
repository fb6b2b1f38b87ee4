"""A clone at a commit with the data of then, in real Git and DVC repositories."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.commit_copy import NotReproducible, commit_copy, environment, fetch_inputs

TRAIN = {"cmd": "true", "deps": ["data/faces", "code.py"], "params": ["train"]}
FACES = {"cmd": "mkdir -p data/faces && cp code.py data/faces/x", "deps": ["code.py"], "outs": ["data/faces"]}


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def commit(code: str) -> str:
    Path("code.py").write_text(code)
    run("git", "add", ".")
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", code)
    return run("git", "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, bytes]:
    """A repository with a remote, in the working folder; returns its first commit and that dvc.lock."""
    root = tmp_path / "ünï faces #1"
    (root / "data").mkdir(parents=True)
    monkeypatch.chdir(root)
    run("git", "init", "-q", "-b", "main")
    dvc = (sys.executable, "-m", "dvc")
    run(*dvc, "init", "-q")
    run(*dvc, "remote", "add", "--default", "storage", "../storage")
    Path(".gitignore").write_text("data\n")
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"faces": FACES, "train": TRAIN}}))
    Path("params.yaml").write_text("train: {epochs: 1}\nevaluate: {far: 0.1}\n")
    first = commit("first")
    run(*dvc, "repro", "-q", "faces")
    run(*dvc, "push", "-q")
    lock = Path("dvc.lock").read_bytes()
    Path("dvc.lock").unlink()
    commit("second")
    return first, lock


def read(root: Path) -> tuple[str, Any]:
    fetch_inputs(root, print)
    return (root / "data/faces/x").read_text(), yaml.safe_load((root / "params.yaml").read_text())


def test_code_data_and_parameters_are_those_of_the_version_or_what_is_missing_is_named(
    repository: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, lock = repository
    before = run("git", "status", "--porcelain"), run("git", "worktree", "list"), Path("data/faces/x").stat()
    with commit_copy(first, {"train": {"epochs": 9}}, lock) as root:
        assert (root / "code.py").read_text() == "first"
        assert read(root) == ("first", {"train": {"epochs": 9}, "evaluate": {"far": 0.1}})
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        assert environment(root, 3)["MLFLOW_TRACKING_URI"] == f"sqlite:///{root / 'mlflow.db'}"
        assert environment(root, 3)["OMP_NUM_THREADS"] == "3"
    after = run("git", "status", "--porcelain"), run("git", "worktree", "list"), Path("data/faces/x").stat()
    assert after == before
    assert not root.exists()
    Path("../storage").rename("../elsewhere")
    with commit_copy(first, {}, lock) as root:
        assert read(root)[0] == "first", "from the cache"
    Path("../elsewhere").rename("../storage")
    shutil.rmtree(".dvc/cache")
    with commit_copy(first, {}, lock) as root:
        assert read(root)[0] == "first", "from the remote, whose path is relative"
    shutil.rmtree(".dvc/cache")
    shutil.rmtree("../storage")
    with (
        commit_copy(first, {}, lock) as root,
        pytest.raises(NotReproducible, match=r"has data/faces of that version\. Run `dvc push"),
    ):
        fetch_inputs(root, print)
    with (
        pytest.raises(NotReproducible, match=r"does not have the commit 0{40}\. Fetch it"),
        commit_copy("0" * 40, {}, lock),
    ):
        pass
    with pytest.raises(NotReproducible, match=r"has a dvc\.lock"), commit_copy(first, {}, None):
        pass


def test_outside_of_a_repository_the_fix_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotReproducible, match="in a clone of its repository"), commit_copy("0" * 40, {}, b""):
        pass

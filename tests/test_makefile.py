"""make setup in a folder that it refuses, and in an archive without Git."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facenet.errors import FaceNetError
from flows.workspace import exclusive


@pytest.fixture
def unpacked(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Returns a folder of a given name with the files of `git archive` that make and DVC read."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))

    def unpack(name: str) -> Path:
        folder = tmp_path / "places" / name
        folder.mkdir(parents=True)
        locks = ("requirements.lock", "requirements-cuda.lock")
        for file in ("Makefile", *locks, "pyproject.toml", "dvc.yaml", "params.yaml", ".dvc/config"):
            (folder / file).parent.mkdir(exist_ok=True)
            shutil.copyfile(root / file, folder / file)
        return folder

    return unpack


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True)


def test_a_path_with_a_percent_sign_is_refused_before_anything_is_installed(
    unpacked: Callable[[str], Path],
) -> None:
    folder = unpacked("100% faces")
    done = make(folder, "setup")
    assert done.returncode == 2
    assert f"MLflow cannot be installed in a folder whose path has a percent sign: {folder}." in done.stderr
    assert "Rename the folder" in done.stderr
    assert not (folder / ".venv").exists()


def test_after_setup_an_archive_without_git_runs_and_git_can_follow(
    unpacked: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = unpacked("ünï faces #1")
    monkeypatch.chdir(folder)
    stages = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
    assert "is not a git repository" in subprocess.run(stages, capture_output=True, text=True).stderr
    with pytest.raises(FaceNetError, match="make setup"), exclusive("run", print):
        pass
    (folder / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (folder / ".venv" / ".ready").touch()
    assert make(folder, "setup").returncode == 0
    assert "register" in subprocess.run(stages, capture_output=True, text=True, check=True).stdout
    with exclusive("run", print):
        pass
    subprocess.run(["git", "init", "-q"], check=True)
    assert make(folder, "setup").returncode == 0
    assert "no_scm" not in (folder / ".dvc" / "config.local").read_text()
    assert "register" in subprocess.run(stages, capture_output=True, text=True, check=True).stdout

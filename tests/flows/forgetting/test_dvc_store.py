"""A real DVC repository with two versions of the data, tracked photos and a remote."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.forgetting.dvc_store import DvcFailed, DvcStore
from tasks.forgetting.place import Action
from tests.tasks.forgetting.conftest import small, small_template
from tests.tasks.forgetting.small import ADA, gathered, holders, traces_of

__all__ = ["small", "small_template"]

STAGES = {
    "ingest": {"cmd": "cp -r prepared/raw data/raw", "deps": ["version"], "outs": ["data/raw"]},
    "draw": {"cmd": "cp prepared/p.png shown.png", "deps": ["data/raw"], "outs": ["shown.png"]},
    "other": {"cmd": "cp prepared/p.png x.png; echo x >> x.png", "deps": ["code"], "outs": ["x.png"]},
}


def _dvc(root: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def versioned(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small workspace under DVC: photos by `dvc add`, data by stages, all pushed."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(small / ".dvc" / "tmp" / "site"))
    shutil.move(small / "data" / "raw", small / "prepared" / "raw")
    shutil.copy(small / "reports" / "worst_errors.png", small / "prepared" / "p.png")
    for name in ("version", "code"):
        (small / name).write_text(name)
    (small / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    _dvc(small, "init", "--no-scm", "-q")
    (small.parent / "storage").mkdir()
    _dvc(small, "remote", "add", "-q", "--default", "storage", str(small.parent / "storage"))
    _dvc(small, "add", "-q", "photos")
    _dvc(small, "repro", "-q")
    _dvc(small, "push", "-q", "--run-cache")
    shutil.rmtree(small / "prepared")
    return small


def test_objects_and_runs_go_from_cache_and_remote(versioned: Path) -> None:
    root, storage = versioned, versioned.parent / "storage"
    shutil.copytree(root / "data" / "aligned", root / "aligned")
    person, traces = gathered(root), traces_of(root)
    assert holders(root / ".dvc", traces)
    assert holders(storage, traces)
    place = DvcStore(root)
    assert any("files/md5" in str(path) for path in place.tables())
    findings = place.find(person)
    assert [(f.what, f.action) for f in findings][1:] == [
        ("remote storage", Action.REMOVE),
        ("photos.dvc", Action.REWRITE),
    ]
    shutil.rmtree(root / "photos" / ADA)
    place.erase(person, findings)
    assert place.find(person) == []
    assert DvcStore(root).find(person) == []
    assert holders(root / ".dvc", traces) == holders(storage, traces) == []
    assert not any(ADA.encode() in p.read_bytes() for p in (root / ".dvc").rglob("*") if p.is_file())
    assert person.versions
    (root / "x.png").unlink()
    assert "x.png" in _dvc(root, "checkout", "other")  # what others need is still there
    assert "photos.dvc" not in _dvc(root, "status")
    runs = [path.read_text() for path in (storage / "runs").rglob("*") if path.is_file()]
    assert len(runs) == 1  # the run of stage other


def test_a_remote_that_does_not_answer_is_named(versioned: Path) -> None:
    _dvc(versioned, "remote", "add", "-q", "away", "ssh://127.0.0.1:1/nowhere")
    person = gathered(versioned)
    left = [finding for finding in DvcStore(versioned).find(person) if finding.action is Action.LEFT]
    assert [finding.what for finding in left] == ["remote away"]
    assert "does not answer" in left[0].note


def test_a_folder_without_dvc_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DvcFailed, match="DVC says"):
        DvcStore(tmp_path).tables()

"""`facenet forget` in a small workspace; faults/scenarios/forget_killed.py has one that was trained."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.gallery import Enrolment, Gallery
from tasks.labels.forgotten import read_forgotten
from tests.commands.running import facenet
from tests.tasks.forgetting.conftest import small, small_template
from tests.tasks.forgetting.small import ADA, gathered, holders, traces_of

__all__ = ["small", "small_template"]


@pytest.fixture
def workspace(small: Path, migrated_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from tasks.params import load_params

    load_params.cache_clear()
    shutil.copy(migrated_store, small / "mlflow.db")
    for name in ("MLFLOW_TRACKING_URI", "FACENET_GALLERY", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DVC_ROOT", str(small))
    monkeypatch.setenv("FACENET_SERVICES", str(small / ".services"))
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(small / ".dvc" / "tmp" / "site"))
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], check=True)
    return small


def _enrol(root: Path) -> bytes:
    import numpy as np

    template = np.random.default_rng(7).normal(size=16).astype(np.float32)
    photo = (root / "photos" / ADA / "1.jpg").read_bytes()
    with Gallery.open(None, model_digest="a" * 64, template_size=16) as gallery:
        gallery.enrol(ADA, [Enrolment.of(photo, template, None, keep=True)], by="me")
    return template.tobytes()


def test_it_lists_then_forgets_and_a_second_time_nobody_is_there(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traces = {**traces_of(workspace), "template": _enrol(workspace)}
    before = holders(workspace, traces)
    assert "gallery/gallery.db" in before
    assert facenet("forget", ADA, "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["photos"], listed["done"]) == (3, False)
    assert [place["place"] for place in listed["places"]] == [
        "sources",
        "caches",
        "outputs",
        "decisions",
        "gallery",
    ]
    assert holders(workspace, traces) == before
    assert not (workspace / "labels" / "forgotten.csv").exists()

    assert facenet("forget", ADA, "--yes", "--why", "asked") == 0
    said = capsys.readouterr()
    assert "Forgotten, with 3 photos, as person-" in said.out
    assert "erasing gallery: 1" in said.err
    assert holders(workspace, traces) == []
    receipt = read_forgotten(workspace / "labels" / "forgotten.csv")
    assert (len(receipt.digests), receipt.entries[-1].why) == (3, "asked")
    assert "gallery" in receipt.entries[-1].places
    assert facenet("forget", ADA, "--yes") == 2
    assert "Nobody called 'Ada Lovelace'" in capsys.readouterr().err


def test_a_photo_alone_and_what_is_out_of_reach(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = workspace / "photos" / ADA / "2.jpg"
    digest = min(gathered(workspace).photos - {""})
    (workspace / "notes.txt").write_bytes(b"see " + photo.read_bytes())
    assert facenet("forget", "--photo", str(photo)) == 0
    assert "Nothing was removed" in capsys.readouterr().out
    assert facenet("forget", "--photo", str(photo), "--yes") == 1
    said = capsys.readouterr().out
    assert "Still there, since it is out of reach:" in said
    assert "notes.txt" in said
    assert not photo.exists()
    assert len(list(photo.parent.iterdir())) == 2
    assert len(read_forgotten(workspace / "labels" / "forgotten.csv").digests) == 1
    assert len(digest) == 64


@pytest.mark.parametrize("words", [[], [ADA, "--resume"], [ADA, "--photo", "x"]])
def test_exactly_one_request_is_needed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("forget", *words) == 2
    assert "name one of IDENTITY, --photo or --resume" in capsys.readouterr().err


def test_nothing_to_resume_is_an_error(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("forget", "--resume", "--yes") == 2
    assert "Nothing was interrupted" in capsys.readouterr().err

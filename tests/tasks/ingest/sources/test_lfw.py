from pathlib import Path

import pytest

from facenet.evaluation.pairs import PhotoName
from tasks.ingest.records import Record
from tasks.ingest.sources.lfw import open_source
from tasks.ingest.sources.opened import Opened, Opening
from tasks.params.sources import LfwSource
from tests.tasks.ingest.archives import tar_bytes

PEOPLE = ("Ann", "Bob", "Cat", "Dan")


@pytest.fixture
def lfw(tmp_path: Path) -> Path:
    """A folder with a small archive and the protocol of both views."""
    files = {f"lfw/{name}/{name}_{n:04d}.jpg": b"x" for name in PEOPLE for n in (1, 2)}
    (tmp_path / "lfw.tgz").write_bytes(tar_bytes(files, "w:gz"))
    (tmp_path / "pairs.txt").write_text("1\t1\nAnn\t1\t2\nAnn\t1\tCat\t1\n")
    (tmp_path / "pairsDevTest.txt").write_text("1\nCat\t1\t2\nCat\t1\tDan\t1\n")
    (tmp_path / "pairsDevTrain.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t1\n")
    (tmp_path / "peopleDevTrain.txt").write_text("2\nAnn\t2\nBob\t2\n")
    return tmp_path


def _open(
    folder: Path, allow_overlap: bool = False, **source: str
) -> tuple[Opened, dict[str | None, str | None]]:
    params = LfwSource(kind="lfw", archive="lfw.tgz", **source)  # type: ignore[arg-type]
    opened = open_source(params, Opening(folder, allow_overlap))
    records = [Record("lfw", member.path) for member in opened.files(1000)]
    opened.place(records)
    return opened, {record.identity: record.role for record in records}


def test_view_2_evaluates_everyone(lfw: Path) -> None:
    opened, roles = _open(lfw)
    assert roles == dict.fromkeys(PEOPLE, "evaluate")
    assert [(pair.left, pair.fold) for pair in opened.pairs] == [(PhotoName("Ann", 1), 0)] * 2


def test_view_1_trains_the_listed_people_and_scores_the_others(lfw: Path) -> None:
    opened, roles = _open(
        lfw,
        pairs="pairsDevTest.txt",
        threshold_pairs="pairsDevTrain.txt",
        train_people="peopleDevTrain.txt",
    )
    assert roles == {"Ann": "train", "Bob": "train", "Cat": "evaluate", "Dan": "evaluate"}
    assert [(pair.left.identity, pair.fold) for pair in opened.pairs] == [
        ("Cat", 0),
        ("Cat", 0),
        ("Ann", -1),
        ("Ann", -1),
    ]


def test_scored_people_do_not_train_unless_allowed(lfw: Path) -> None:
    _, roles = _open(lfw, train_people="peopleDevTrain.txt")
    assert roles == {"Ann": "evaluate", "Bob": "train", "Cat": "evaluate", "Dan": "evaluate"}
    _, roles = _open(lfw, allow_overlap=True, train_people="peopleDevTrain.txt")
    assert roles["Ann"] == "train"

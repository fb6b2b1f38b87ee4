from dataclasses import replace
from pathlib import Path

import pytest

from facenet.errors import DownloadFailed, SourceInvalid
from tasks.ingest.sources.opened import THRESHOLD_FOLD, Opening, scored_people


def test_scored_people_are_folded_names_without_those_of_threshold_pairs(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("1\nJosé\t1\t2\nJosé\t1\tAnn_B\t1\n")
    pairs = Opening(tmp_path).read_pairs("pairs.txt")
    assert scored_people(pairs) == {"jose", "annb"}
    assert scored_people([replace(pair, fold=THRESHOLD_FOLD) for pair in pairs]) == set()


def test_everything_that_a_source_finds_is_listed(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "list.txt").write_bytes(b"x")
    opening = Opening(tmp_path)
    opening.locate("faces")
    assert opening.read("list.txt") == b"x"
    assert opening.located == [tmp_path / "faces", tmp_path / "list.txt"]


def test_a_list_that_is_a_folder_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "list.txt").mkdir()
    with pytest.raises(SourceInvalid, match=r"list\.txt cannot be read: Is a directory"):
        Opening(tmp_path).read("list.txt")


def test_text_may_have_a_byte_order_mark_but_must_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes("\ufeffZo\u00eb".encode())
    assert Opening(tmp_path).read_text("list.txt") == "Zo\u00eb"
    (tmp_path / "list.txt").write_bytes("Zo\u00eb".encode("latin-1"))
    with pytest.raises(SourceInvalid, match=r"^list.txt: expected UTF-8 text"):
        Opening(tmp_path).read_text("list.txt")


def test_nothing_is_downloaded_if_not_asked(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="was not found") as caught:
        Opening(tmp_path, download=False).read("pairs.txt")  # it has an official URL
    assert "http" not in str(caught.value).partition("Copy it")[0]

from pathlib import Path

import pytest

from facenet.errors import DownloadFailed, PairsFileInvalid
from tasks.ingest.records import Record
from tasks.ingest.sources.folder import open_source
from tasks.ingest.sources.opened import Opening
from tasks.params.sources import FolderSource
from tests.tasks.ingest.archives import write_tree, zip_bytes


def _open(path: Path, folder: Path, **more: str) -> dict[str, str | None]:
    source = FolderSource(kind="folder", path=str(path), **more)  # type: ignore[arg-type]
    opened = open_source(source, Opening(folder))
    records = [Record("folder", member.path) for member in opened.files(1000)]
    opened.place(records)
    return {record.path: record.role for record in records}


def test_everyone_has_the_role_of_the_source(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", {"Ann/1.jpg": b"x", "Bob/1.jpg": b"y", "loose.jpg": b"z"})
    assert _open(root, tmp_path) == {"Ann/1.jpg": "split", "Bob/1.jpg": "split", "loose.jpg": None}
    assert _open(root, tmp_path, role="train")["Ann/1.jpg"] == "train"


def test_people_in_a_pairs_file_are_evaluated(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", {"Ann/1.jpg": b"x", "bob/1.jpg": b"y", "Cat/1.jpg": b"z"})
    (tmp_path / "p.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t1\n")
    assert _open(root, tmp_path, role="train", pairs="p.txt") == {
        "Ann/1.jpg": "evaluate",
        "Cat/1.jpg": "train",
        "bob/1.jpg": "evaluate",
    }


def test_an_invalid_pairs_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", {"Ann/1.jpg": b"x"})
    (tmp_path / "p.txt").write_text("1\nAnn\t1\n")
    with pytest.raises(PairsFileInvalid, match=r"p\.txt, line 2"):
        _open(root, tmp_path, pairs="p.txt")


def test_a_zip_in_the_downloads_is_found(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zip_bytes({"all/Ann/1.jpg": b"x"}))
    assert _open(Path("photos.zip"), tmp_path) == {"all/Ann/1.jpg": "split"}


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="nowhere"):
        _open(tmp_path / "nowhere", tmp_path)

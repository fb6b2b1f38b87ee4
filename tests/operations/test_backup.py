"""A backup is complete or absent, holds equal files once, and never goes into what it backs up."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facenet.errors import StorageFailed
from operations import backup
from operations.backup import back_up
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.manifest import Manifest
from operations.places import Places, find_places
from service.gallery import Enrolment, Gallery
from tests.disks import small_disk


def ignore(line: str) -> None:
    pass


@pytest.fixture
def places(tmp_path: Path) -> Places:
    root = tmp_path / "workspace"
    for folder in (root / ".dvc/cache/files", root / "storage/files"):
        folder.mkdir(parents=True)
        (folder / "abcd").write_bytes(b"weights" * 100_000)
    (root / ".dvc/config").write_text(
        "['remote \"near\"']\nurl = ../storage\n['remote \"far\"']\nurl = s3://b/c\n"
    )
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        database.execute("CREATE TABLE t (x)")
    return find_places(root, Folder(root / ".services"))


def test_a_file_of_cache_and_remote_is_stored_once(places: Places, tmp_path: Path) -> None:
    back_up(places, tmp_path / "copy", ignore)
    manifest = Manifest.read(tmp_path / "copy")
    manifest.verify(tmp_path / "copy", ignore)
    assert sorted(manifest.files) == [
        "remotes/near/files/abcd",
        "workspace/.dvc/cache/files/abcd",
        "workspace/mlflow.db",
    ]
    assert manifest.remotes == {"near": str(places.workspace / "storage")}
    first, second, _ = (tmp_path / "copy" / name for name in sorted(manifest.files))
    assert first.samefile(second)
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0, "configuration may have passwords"


def test_the_gallery_is_in_it_and_can_be_opened(places: Places, tmp_path: Path) -> None:
    gallery = {"model_digest": "a", "template_size": 4}
    enrolment = Enrolment.of(b"photo", np.ones(4, np.float32), keep=True)
    with Gallery.open(places.workspace / "gallery" / "gallery.db", **gallery) as opened:
        opened.enrol("Ada", [enrolment], by="me")
    back_up(places, tmp_path / "copy", ignore)
    copied = tmp_path / "copy" / "workspace" / "gallery"
    assert [path.name for path in copied.iterdir()] == ["gallery.db"]
    with Gallery.open(copied / "gallery.db", **gallery) as copy:
        assert copy.snapshot().names == ("Ada",)
        assert copy.photo(copy.person("Ada")[1][0].id) == b"photo"


def test_a_target_that_cannot_be_used_is_refused(places: Places, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    back_up(places, tmp_path / "copy", ignore)  # into an empty folder
    with pytest.raises(ServicesFailed, match="is not empty"):
        back_up(places, tmp_path / "copy", ignore)
    with pytest.raises(ServicesFailed, match="which is backed up"):
        back_up(places, places.workspace / "storage" / "copy", ignore)


def test_an_interrupted_backup_leaves_nothing(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup.Manifest, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        back_up(places, tmp_path / "backups" / "copy", ignore)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_full_disk_is_named_and_leaves_nothing(places: Places, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 500) as disk:
        with pytest.raises(StorageFailed, match="the disk is full"):
            back_up(places, disk / "copy", ignore)
        assert list(disk.iterdir()) == []


def test_a_damaged_database_is_not_backed_up(places: Places, tmp_path: Path) -> None:
    path = places.workspace / "mlflow.db"
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 4000)
    with pytest.raises(ServicesFailed, match=r"mlflow\.db"):
        back_up(places, tmp_path / "copy", ignore)

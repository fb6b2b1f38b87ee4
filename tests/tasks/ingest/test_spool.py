from pathlib import Path

import pytest

from facenet.errors import StorageFailed
from tasks.ingest.spool import Spool
from tests.disks import small_disk


def test_bytes_are_read_back_in_any_order(tmp_path: Path) -> None:
    with Spool(tmp_path / "new") as spool:
        spool.add("a", b"first")
        spool.add("b", b"")
        assert spool.read("a") == b"first"
        spool.add("c", b"third")
        assert [spool.read(key) for key in "cba"] == [b"third", b"", b"first"]
        assert [spool.size(key) for key in "abc"] == [5, 0, 5]
        with pytest.raises(KeyError):
            spool.read("d")


def test_no_file_is_ever_visible(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.add("a", bytes(10**6))
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as folder:
        message = f"{folder / 'cache'}: the disk is full. Free some space"
        with Spool(folder / "cache") as spool, pytest.raises(StorageFailed, match=message):
            spool.add("a", bytes(10**6))
        with Spool(folder / "cache") as spool:
            spool.add("b", bytes(4096))
            assert spool.read("b") == bytes(4096)

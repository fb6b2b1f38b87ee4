import hashlib
import os
import time
from pathlib import Path

import pytest

from tasks.ingest import file_digests
from tasks.ingest.file_digests import FileDigests


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read."""
    names: list[str] = []
    real = file_digests.file_digest

    def count(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(file_digests, "file_digest", count)
    return names


def _photo(folder: Path, name: str, data: bytes, age: float = 60) -> Path:
    (folder / name).write_bytes(data)
    os.utime(folder / name, (time.time() - age,) * 2)
    return folder / name


def _run(folder: Path, *photos: Path) -> list[str]:
    digests = FileDigests(folder / "cache")
    found = [digests(photo) for photo in photos]
    digests.write()
    return found


def test_unchanged_files_are_read_once(tmp_path: Path, reads: list[str]) -> None:
    photos = [_photo(tmp_path, name, name.encode()) for name in ("a", "b")]
    expected = [hashlib.sha256(name.encode()).hexdigest() for name in ("a", "b")]
    assert _run(tmp_path, *photos) == _run(tmp_path, *photos) == expected
    assert reads == ["a", "b"]


def test_a_changed_replaced_or_touched_file_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    photo = _photo(tmp_path, "a", b"1")
    about = photo.stat()
    _run(tmp_path, photo)
    _photo(tmp_path, "a", b"22")
    assert _run(tmp_path, photo) == [hashlib.sha256(b"22").hexdigest()]
    twin = _photo(tmp_path, "twin", b"3")
    os.utime(twin, ns=(about.st_atime_ns, about.st_mtime_ns))
    twin.replace(photo)  # the size and time of the first one
    assert _run(tmp_path, photo) == [hashlib.sha256(b"3").hexdigest()]
    assert len(reads) == 3


def test_a_file_changed_a_moment_ago_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    photo = _photo(tmp_path, "a", b"1", age=0)
    _run(tmp_path, photo)
    _run(tmp_path, photo)
    assert reads == ["a", "a"]


def test_a_damaged_cache_is_rebuilt(tmp_path: Path, reads: list[str]) -> None:
    photo = _photo(tmp_path, "a", b"1")
    _run(tmp_path, photo)
    (tmp_path / "cache" / "digests.json").write_text("")
    for _ in range(2):
        assert _run(tmp_path, photo) == [hashlib.sha256(b"1").hexdigest()]
    assert reads == ["a", "a"]


def test_names_that_are_not_utf8_are_remembered(tmp_path: Path, reads: list[str]) -> None:
    photo = _photo(tmp_path, "Jos\udce9", b"1")
    assert _run(tmp_path, photo) == _run(tmp_path, photo)
    assert len(reads) == 1

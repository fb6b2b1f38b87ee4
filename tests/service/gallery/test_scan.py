"""Bytes are found in a file by another process."""

from pathlib import Path

import pytest

from service.gallery.scan import CHUNK, holds


def test_bytes_are_found_anywhere_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "ünï file"
    assert not holds(file, [b"a"])
    file.touch()
    assert not holds(file, [b"a"])
    file.write_bytes(b"\0" * 5000 + b"tr\nace\xff" + b"\0" * 5000)
    assert holds(file, [b"other", b"tr\nace\xff"])
    assert not holds(file, [b"trace", b"\xff\xff"])
    assert not holds(file, [])


def test_bytes_are_found_across_the_parts_in_which_a_file_is_read(tmp_path: Path) -> None:
    file, trace = tmp_path / "file", b"0123456789"
    for start in (CHUNK - 10, CHUNK - 5, CHUNK - 1, CHUNK):
        file.write_bytes(bytes(start) + trace + bytes(100))
        assert holds(file, [trace]), start
        assert not holds(file, [trace + b"x"])


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be searched"):
        holds(tmp_path, [b"a"])

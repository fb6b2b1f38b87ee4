"""Bytes are found in a file by another process."""

from pathlib import Path

import pytest

from service.gallery.scan import holds


def test_bytes_are_found_anywhere_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "ünï file"
    assert not holds(file, [b"a"])
    file.touch()
    assert not holds(file, [b"a"])
    file.write_bytes(b"\0" * 5000 + b"tr\nace\xff" + b"\0" * 5000)
    assert holds(file, [b"other", b"tr\nace\xff"])
    assert not holds(file, [b"trace", b"\xff\xff"])
    assert not holds(file, [])


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be searched"):
        holds(tmp_path, [b"a"])

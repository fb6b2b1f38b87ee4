import logging
from pathlib import Path

import pytest

from tasks.align.damage import discard, remove


def test_a_discarded_file_is_named_in_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"half")
    with caplog.at_level(logging.WARNING):
        discard(path, "its digest is wrong")
    assert not path.exists()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"{path} is damaged (its digest is wrong)" in record.getMessage()


def test_files_folders_links_and_nothing_can_be_removed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "precious").touch()
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(target)
    for name in ("folder", "file", "link", "nothing"):
        remove(tmp_path / name)
    assert list(tmp_path.iterdir()) == [target]
    assert (target / "precious").exists()

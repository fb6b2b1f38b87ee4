"""Whole lines only, and one process at a time, also when the folder is removed meanwhile."""

import shutil
import threading
from pathlib import Path

import pytest

from tasks.tracking.append_only import FolderBusy, append_line, lock_folder, open_lines
from tests.disks import small_disk


def test_a_torn_line_goes_when_the_file_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"one\ntw")
    with open_lines(file) as lines:
        append_line(lines, b"three\n")
    assert file.read_bytes() == b"one\nthree\n"


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 16) as disk, open_lines(disk / "lines") as lines:
        line = b"x" * 999 + b"\n"
        with pytest.raises(OSError, match="No space left"):
            append_many(lines, line)
        content = (disk / "lines").read_bytes()
        assert content == line * (len(content) // 1000)
        assert len(content) > 5000


def append_many(lines: object, line: bytes) -> None:
    for _ in range(100):
        append_line(lines, line)


def test_a_lock_on_a_folder_that_was_removed_is_taken_again(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    first = lock_folder(folder, wait=True)
    with pytest.raises(FolderBusy, match="Another process has"):
        lock_folder(folder, wait=False)
    taken: list[bool] = []

    def wait() -> None:
        with lock_folder(folder, wait=True):
            taken.append((folder / "lock").exists())

    waiting = threading.Thread(target=wait)
    waiting.start()
    shutil.rmtree(folder)
    first.close()
    waiting.join(60)
    assert taken == [True]

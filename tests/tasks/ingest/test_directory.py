import os
import socket
from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from tasks.ingest.directory import walk
from tests.tasks.ingest.archives import write_tree


def _statuses(root: Path) -> dict[str, str]:
    return {entry.name: entry.refused[0] if entry.refused else "" for entry in walk(root, 100)}


def test_files_are_yielded_sorted_with_their_stat_result(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Bob/1.jpg": b"xy", "Ann/2.jpg": b"", "Ann/10.jpg": b"x", "large.jpg": bytes(101)})
    found = list(walk(tmp_path, 100))
    assert [entry.name for entry in found] == ["Ann/10.jpg", "Ann/2.jpg", "Bob/1.jpg", "large.jpg"]
    assert [entry.about.st_size if entry.about else None for entry in found] == [1, 0, 2, None]
    assert found[2].path.read_bytes() == b"xy"


def test_nothing_but_regular_files_is_ever_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is limited to 108 bytes
    (tmp_path / "Ann").mkdir()
    os.mkfifo(tmp_path / "Ann" / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("Ann/socket.jpg")
    (tmp_path / "Ann" / "device.jpg").symlink_to("/dev/zero")
    (tmp_path / "Ann" / "broken.jpg").symlink_to("gone.jpg")
    (tmp_path / "Ann" / ".#1.jpg").symlink_to("user@host.1234:5678")  # a lock of Emacs
    assert _statuses(tmp_path) == {
        "Ann/.#1.jpg": "hidden",
        "Ann/broken.jpg": "unreadable",
        "Ann/device.jpg": "unsafe",
        "Ann/pipe.jpg": "unsafe",
        "Ann/socket.jpg": "unsafe",
    }


def test_a_person_behind_a_link_is_walked_and_deeper_links_are_not(tmp_path: Path) -> None:
    elsewhere = write_tree(tmp_path / "elsewhere", {"1.jpg": b"x"})
    root = write_tree(tmp_path / "photos", {"Ann/1.jpg": b"x"})
    (root / "Bob").symlink_to(elsewhere)
    (root / "Ann" / "more").symlink_to(elsewhere)
    (root / "Ann" / "loop").symlink_to(root)
    assert _statuses(root) == {"Ann/1.jpg": "", "Ann/loop": "unsafe", "Ann/more": "unsafe", "Bob/1.jpg": ""}


def test_names_that_are_not_utf8_can_be_read(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Jos\udce9/1.jpg": b"x"})  # the byte E9 on disk
    (entry,) = walk(tmp_path, 100)
    assert (entry.name, entry.path.read_bytes()) == ("Jos\\xe9/1.jpg", b"x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_counted(tmp_path: Path) -> None:
    write_tree(tmp_path, {"Ann/1.jpg": b"x", "lost+found/1.jpg": b"x"})
    for name in ("Ann", "lost+found"):
        (tmp_path / name).chmod(0)
    try:
        assert _statuses(tmp_path) == {"Ann": "unreadable", "lost+found": "hidden"}
    finally:
        for name in ("Ann", "lost+found"):
            (tmp_path / name).chmod(0o700)


def test_a_root_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match="gone cannot be read: No such file"):
        list(walk(tmp_path / "gone", 100))

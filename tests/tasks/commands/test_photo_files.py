import io
import os
import socket
import sys
from pathlib import Path

import pytest

from tasks.commands import photo_files
from tasks.commands.photo_files import Argument, Unreadable, expand, read
from tests.zoo import picture, save

JPEG = save(picture(0), "JPEG")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos and other files, in a working folder with folders of several depths."""
    for name in ("b/2.jpg", "b/10.JPG", "a/deep/er/1.png", "a/no_suffix", "c.heic", "b/damaged.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"" if "damaged" in name else JPEG)
    (tmp_path / "b" / "notes.txt").write_text("no photo")
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / ".thumbnails" / "1.png").write_bytes(JPEG)
    (tmp_path / "b" / "._2.jpg").write_bytes(JPEG)
    (tmp_path / "empty" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(*arguments: str, without: Path | None = None) -> list[str]:
    found = expand(arguments, without=without)
    assert not [photo for photo in found if photo.problem]
    return [photo.path for photo in found]


def test_files_are_taken_in_their_order_and_folders_searched_in_sorted_order(folder: Path) -> None:
    in_b = ["b/10.JPG", "b/2.jpg", "b/damaged.jpg"]
    assert paths("b") == in_b
    assert paths("b/") == in_b
    assert paths("c.heic", "b", "a", "-", "missing.jpg", "c.heic") == [
        *("c.heic", *in_b, "a/deep/er/1.png", "a/no_suffix", "-", "missing.jpg", "c.heic")
    ]
    assert paths(str(folder / "a")) == [f"{folder}/a/deep/er/1.png", f"{folder}/a/no_suffix"]
    assert len(paths(".")) == 6


def test_hidden_files_and_the_output_folder_are_skipped(folder: Path) -> None:
    assert paths(".thumbnails") == [".thumbnails/1.png"]  # named explicitly
    assert not [path for path in paths(".") if "/." in path[1:]]
    assert "./b/2.jpg" not in paths(".", without=folder / "b")


def test_links_to_files_are_followed_and_links_to_folders_are_not(folder: Path) -> None:
    (folder / "links").mkdir()
    (folder / "links" / "photo.jpg").symlink_to(folder / "b" / "2.jpg")
    (folder / "links" / "broken.jpg").symlink_to(folder / "nowhere")
    (folder / "links" / "loop").symlink_to(folder / "links")
    assert paths("links") == ["links/photo.jpg"]
    (folder / "linked").symlink_to(folder / "b")
    assert len(paths("linked")) == 3


def test_pipes_and_sockets_in_a_folder_are_skipped(folder: Path) -> None:
    os.mkfifo(folder / "b" / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(folder / "b")  # the path of a socket is short
        server.bind("socket.jpg")
        os.chdir(folder)
        assert len(paths("b")) == 3


def test_a_folder_without_photos_says_so(folder: Path) -> None:
    (found,) = expand(["empty"])
    assert found.path == "empty"
    assert found.problem.startswith("No photos in this folder or below it")


def test_a_folder_that_cannot_be_listed_gives_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert expand(["a"]) == [Argument("a/no_suffix"), Argument("a/deep", "Permission denied.")]


def test_standard_input_is_read_as_a_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(JPEG)))
    assert read("-") == JPEG


def test_a_photo_that_cannot_be_read_gives_the_reason(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read("b/2.jpg") == JPEG
    for path, reason in (("nowhere", "No such file"), ("b", "Is a directory"), ("a\0b", "null")):
        with pytest.raises(Unreadable, match=reason):
            read(path)
    monkeypatch.setattr(photo_files, "MAX_FILE_BYTES", 1000)
    with pytest.raises(Unreadable, match="More than 1000 bytes"):
        read("/dev/zero")

import gzip
import io
import os
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from tasks.ingest.archives import Member, check_format, members
from tests.tasks.ingest.archives import entry, tar_bytes, write_tree, zip_bytes

FILES = {"Ann/1.jpg": b"one", "Ann/2.jpg": b"", "Bob/3 Ünï ☺.jpg": b"three" * 1000, "Bob/sub/4.jpg": b"four"}
LIMIT = 10_000


def _directory(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "photos", FILES)


def _archive(content: bytes) -> Callable[[Path], Path]:
    def write(tmp_path: Path) -> Path:
        path = tmp_path / "archive"  # the format is detected from the bytes, not the name
        path.write_bytes(content)
        return path

    return write


KINDS = {
    "directory": _directory,
    "tar": _archive(tar_bytes(FILES)),
    "tar.gz": _archive(tar_bytes(FILES, "w:gz")),
    "tar.bz2": _archive(tar_bytes(FILES, "w:bz2")),
    "tar.xz": _archive(tar_bytes(FILES, "w:xz")),
    "zip": _archive(zip_bytes(FILES)),
}


def _read(path: Path, limit: int = LIMIT) -> list[Member]:
    return list(members(path, limit))


def _statuses(path: Path, limit: int = LIMIT) -> dict[str, str]:
    found = {member.path: member.status for member in _read(path, limit)}
    assert all(bool(m.status) == (m.data is None) == bool(m.reason) for m in _read(path, limit))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_yields_the_same_files(kind: str, tmp_path: Path) -> None:
    found = _read(KINDS[kind](tmp_path))
    assert {member.path: member.data for member in found} == FILES
    assert [member.path for member in found] == list(FILES)
    assert {member.status for member in found} == {""}


@pytest.mark.parametrize("kind", KINDS)
def test_an_oversized_file_is_not_read(kind: str, tmp_path: Path) -> None:
    found = {member.path: member for member in members(KINDS[kind](tmp_path), 4999)}
    assert found["Bob/3 Ünï ☺.jpg"].data is None
    assert found["Bob/3 Ünï ☺.jpg"].status == "too_large"
    assert found["Bob/sub/4.jpg"].data == b"four"


HIDDEN = {
    ".DS_Store": b"",
    "__MACOSX/Ann/._1.jpg": b"",
    "Ann/Thumbs.db": b"",
    ".git/a.jpg": b"",
    "@eaDir/1.jpg/SYNOFILE_THUMB_M.jpg": b"",
    "Ann/@eaDir/1.jpg": b"",
    "lost+found/1.jpg": b"",
    "$RECYCLE.BIN/1.jpg": b"",
}


@pytest.mark.parametrize("kind", ["directory", "tar", "zip"])
def test_files_of_operating_systems_are_counted_but_not_read(kind: str, tmp_path: Path) -> None:
    build = {
        "directory": lambda folder: write_tree(folder / "d", HIDDEN),
        "tar": _archive(tar_bytes(HIDDEN)),
        "zip": _archive(zip_bytes(HIDDEN)),
    }
    assert _statuses(build[kind](tmp_path)) == dict.fromkeys(HIDDEN, "hidden")


ESCAPES = ["../out.jpg", "/etc/out.jpg", "Ann/../../out.jpg", "C:/out.jpg", "a\nb/out.jpg"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_escaping_paths_are_rejected_and_nothing_is_written(kind: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    files = {**dict.fromkeys(ESCAPES, b"x"), "Ann/1.jpg": b"one"}
    content = (
        tar_bytes(files) if kind == "tar" else zip_bytes({_named(name): data for name, data in files.items()})
    )
    found = _statuses(_archive(content)(tmp_path / "inner"))
    assert found == {**dict.fromkeys(ESCAPES, "unsafe"), "Ann/1.jpg": ""}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["archive", "inner"]


def _named(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name)


def test_windows_separators_in_a_zip_separate_folders(tmp_path: Path) -> None:
    path = _archive(zip_bytes({_named("Ann\\1.jpg"): b"x", _named("..\\out.jpg"): b"x"}))(tmp_path)
    assert _statuses(path) == {"Ann/1.jpg": "", "../out.jpg": "unsafe"}


def test_links_and_devices_in_a_tar_are_rejected(tmp_path: Path) -> None:
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
    extra = [entry(f"Ann/{number}.jpg", 0, kind, "/etc/passwd") for number, kind in enumerate(kinds)]
    path = _archive(tar_bytes({"Ann/photo.jpg": b"x"}, extra=extra))(tmp_path)
    assert _statuses(path) == {"Ann/photo.jpg": "", **{info.name: "unsafe" for info in extra}}


def test_a_link_in_a_zip_is_rejected(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("Ann/1.jpg")
    link.external_attr = 0o120777 << 16
    assert _statuses(_archive(zip_bytes({link: b"/etc/passwd"}))(tmp_path)) == {"Ann/1.jpg": "unsafe"}


def test_only_links_to_files_and_people_are_followed_in_a_directory(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", {"Ann/1.jpg": b"x"})
    elsewhere = write_tree(tmp_path / "elsewhere", {"2.jpg": b"y", "deep/3.jpg": b"z"})
    (root / "Bob").symlink_to(elsewhere)
    (root / "Ann" / "linked.jpg").symlink_to(elsewhere / "2.jpg")
    (root / "Ann" / "broken.jpg").symlink_to(elsewhere / "gone.jpg")
    (root / "Ann" / "folder").symlink_to(elsewhere)
    (root / "Ann" / "loop").symlink_to(root)
    os.mkfifo(root / "Ann" / "pipe.jpg")
    assert _statuses(root) == {
        "Ann/1.jpg": "",
        "Ann/broken.jpg": "unreadable",
        "Ann/folder": "unsafe",
        "Ann/linked.jpg": "",
        "Ann/loop": "unsafe",
        "Ann/pipe.jpg": "unsafe",
        "Bob/2.jpg": "",
        "Bob/deep/3.jpg": "",
    }


def test_folders_hundreds_deep_are_walked(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 500)
    deep.mkdir(parents=True)
    (deep / "photo.jpg").write_bytes(b"x")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)  # a recursive walk would fail here
    try:
        found = _read(tmp_path)
    finally:
        sys.setrecursionlimit(limit)
    assert [member.path for member in found] == ["d/" * 500 + "photo.jpg"]


def test_names_that_are_not_utf8_are_escaped(tmp_path: Path) -> None:
    header = entry("Ann/x.jpg", 1).tobuf().replace(b"Ann/x.jpg", b"Ann/\xff.jpg")
    checksum = sum(header[:148]) + sum(header[156:]) + 8 * 32
    header = header[:148] + b"%06o\0 " % checksum + header[156:]
    path = _archive(header + b"x" + bytes(511) + bytes(1024))(tmp_path)
    (member,) = _read(path)
    assert member.path.encode("utf-8") == b"Ann/\\xff.jpg"


def test_a_compression_bomb_is_skipped_in_bounded_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(tar_bytes({"Ann/bomb.jpg": bytes(20_000_000), "Ann/1.jpg": b"x"}))
    assert len(bomb) < 100_000
    assert _statuses(_archive(bomb)(tmp_path)) == {"Ann/bomb.jpg": "too_large", "Ann/1.jpg": ""}
    bomb = zip_bytes({"Ann/bomb.jpg": bytes(20_000_000), "Ann/1.jpg": b"x"})
    assert _statuses(_archive(bomb)(tmp_path)) == {"Ann/bomb.jpg": "too_large", "Ann/1.jpg": ""}


def test_a_zip_with_a_wrong_size_is_bounded(tmp_path: Path) -> None:
    content = zip_bytes({"Ann/1.jpg": bytes(5_000_000)})
    lying = content.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 50))
    assert lying != content
    (member,) = _read(_archive(lying)(tmp_path))
    assert member.status == "corrupt"


def test_a_damaged_or_encrypted_file_in_a_zip_does_not_affect_the_others(tmp_path: Path) -> None:
    content = bytearray(
        zip_bytes({"Ann/1.jpg": b"damaged" * 50, "Ann/2.jpg": b"fine", "Ann/3.jpg": b"secret"})
    )
    place = content.index(b"Ann/1.jpg") + len("Ann/1.jpg")
    content[place : place + 4] = b"\xff\xff\xff\xff"
    entry_of_3 = content.rindex(b"Ann/3.jpg") - 46
    content[entry_of_3 + 8] |= 1  # the flag of encryption
    found = _statuses(_archive(bytes(content))(tmp_path))
    assert found == {"Ann/1.jpg": "corrupt", "Ann/2.jpg": "", "Ann/3.jpg": "unsupported"}


def _names_of_a_gigabyte() -> bytes:
    return entry("././@LongLink", 2**30, tarfile.GNUTYPE_LONGNAME).tobuf(tarfile.GNU_FORMAT) + bytes(2048)


def _negative_size(size: int) -> bytes:
    header = bytearray(entry("Ann/1.jpg").tobuf())
    header[124:136] = size.to_bytes(12, signed=True)  # in base 256
    checksum = sum(header[:148]) + sum(header[156:]) + 8 * 32
    header[148:156] = b"%06o\0 " % checksum
    return bytes(header) + bytes(1024)


def _damaged_in_the_middle() -> bytes:
    content = bytearray(tar_bytes({"Ann/1.jpg": b"x", "Ann/2.jpg": b"y"}))
    content[1024:1034] = b"\xff" * 10
    return bytes(content)


def _wrong_checksum() -> bytes:
    content = bytearray(tar_bytes({"Ann/1.jpg": os.urandom(50_000)}, "w:gz"))
    content[-8] ^= 1
    return bytes(content)


BROKEN = {
    "empty": b"",
    "text": b"no archive at all",
    "tar, truncated in a file": tar_bytes(FILES)[:3000],
    "tar, truncated in a header": tar_bytes(FILES)[:1400],
    "tar, damaged in the middle": _damaged_in_the_middle(),
    "tar, a name of a gigabyte": _names_of_a_gigabyte(),
    "tar, a negative size": _negative_size(-256),
    "tar, a size that leads back to its header": _negative_size(-1024),
    "tar.gz, truncated": tar_bytes({"a/1.jpg": os.urandom(50_000)}, "w:gz")[:20_000],
    "tar.gz, wrong checksum": _wrong_checksum(),
    "tar.xz, truncated": tar_bytes({"a/1.jpg": os.urandom(50_000)}, "w:xz")[:20_000],
    "tar.bz2, damaged": tar_bytes(FILES, "w:bz2")[:60] + bytes(100),
    "zip, truncated": zip_bytes(FILES)[:-30],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_archive_is_an_error_with_its_name_and_the_fix(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match="archive is not a directory, tar or zip") as caught:
        _read(_archive(BROKEN[name])(tmp_path), 100_000)
    assert "Delete it and download it again" in str(caught.value)


FOREIGN = {
    b"Rar!\x1a\x07\x01\x00": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
    b"\xff\xd8\xff\xe0": "a single photo",
    b"\0\0\0\x18ftypheic": "a single photo",
}


@pytest.mark.parametrize("magic", FOREIGN, ids=FOREIGN.get)
def test_a_file_of_another_kind_is_an_error_that_says_how_photos_must_lie(
    magic: bytes, tmp_path: Path
) -> None:
    with pytest.raises(SourceInvalid, match=f"archive is {FOREIGN[magic]}, not a directory") as caught:
        _read(_archive(magic + bytes(2000))(tmp_path))
    assert "one folder of photos per person, such as photos/Ada Lovelace/1.jpg" in str(caught.value)


@pytest.mark.parametrize("magic", [magic for magic in FOREIGN if b"\0" in magic or magic[0] == 0xFF])
def test_a_file_of_another_kind_is_found_before_it_is_read(magic: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match=f"archive is {FOREIGN[magic]}"):
        check_format(_archive(magic + bytes(2000))(tmp_path))


LISTS = [b"BM\xc3\x9c.jpg 1\n", b"RIFF\t1\t2\n", b"GIF8.jpg 2\n", b""]


@pytest.mark.parametrize("content", [*LISTS, tar_bytes({"BM/1": b"x"}), zip_bytes({"BM/1": b"x"})])
def test_lists_and_archives_have_a_good_format(content: bytes, tmp_path: Path) -> None:
    check_format(_archive(content)(tmp_path))


def test_a_tar_whose_first_name_looks_like_a_photo_is_read(tmp_path: Path) -> None:
    assert _statuses(_archive(tar_bytes({"BMW/1.jpg": b"x"}))(tmp_path)) == {"BMW/1.jpg": ""}


def test_a_pipe_as_source_is_an_error_and_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceInvalid, match="pipe is not a file or directory"):
        _read(tmp_path / "pipe")


def test_a_zip_of_macos_has_utf8_names_without_the_flag(tmp_path: Path) -> None:
    names = ["Zoe\u0308/1.jpg", "\u5c71\u7530/1.jpg"]
    content = zip_bytes(dict.fromkeys(names, b"x"))
    for at in (i for i in range(len(content)) if content[i : i + 4] in (b"PK\x03\x04", b"PK\x01\x02")):
        flags = at + (6 if content[at + 2] == 3 else 8)
        content = content[: flags + 1] + b"\0" + content[flags + 2 :]
    assert list(_statuses(_archive(content)(tmp_path))) == names


def test_a_zip_of_dos_has_names_in_code_page_437(tmp_path: Path) -> None:
    content = zip_bytes({"Jos_/1.jpg": b"x"}).replace(b"Jos_", "Jos\xe9".encode("cp437"))
    assert list(_statuses(_archive(content)(tmp_path))) == ["Jos\xe9/1.jpg"]


def test_long_names_are_read_in_both_tar_formats(tmp_path: Path) -> None:
    long = "Ann/" + "x" * 200 + ".jpg"
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
            archive.addfile(entry(long, 1), io.BytesIO(b"x"))
        assert _statuses(_archive(buffer.getvalue())(tmp_path), 10) == {long: ""}

"""Ways to damage a cache file."""

from collections.abc import Callable
from pathlib import Path


def _empty(path: Path) -> None:
    _replace(path, b"")


def _cut(path: Path) -> None:
    content = path.read_bytes()
    _replace(path, content[: len(content) // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    _replace(path, bytes(content))


def _other_json(path: Path) -> None:
    _replace(path, b'{"key": ["another"], "files": 7}')


def _not_text(path: Path) -> None:
    _replace(path, b"\xff\xfe\x00nothing")


def _list(path: Path) -> None:
    _replace(path, b"[1, 2]")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def _replace(path: Path, content: bytes) -> None:
    path.unlink()  # it may be a hard link to an output
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": _empty,
    "half-written": _cut,
    "one bit flipped": _flip,
    "JSON of another shape": _other_json,
    "a list": _list,
    "not text": _not_text,
    "a folder": _folder,
}

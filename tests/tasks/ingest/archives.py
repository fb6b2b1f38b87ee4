"""Build archives for tests."""

import io
import tarfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def entry(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """Return a tar header of any type and size."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, target
    return info


def tar_bytes(files: Mapping[str, bytes], mode: str = "w", extra: Sequence[tarfile.TarInfo] = ()) -> bytes:
    """Return a tar of `files`, followed by the headers `extra` without data."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            archive.addfile(entry(name, len(data)), io.BytesIO(data))
        for info in extra:
            archive.addfile(info)
    return buffer.getvalue()


def zip_bytes(files: Mapping[str | zipfile.ZipInfo, bytes]) -> bytes:
    """Return a zip of `files`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def write_tree(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write `files` below `root` and return it."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def tar_twice(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bytes:
    """Return a tar with all of `old` and then all of `new`, whatever their names."""
    buffer = io.BytesIO(tar_bytes(old))
    with tarfile.open(fileobj=buffer, mode="a") as archive:
        for name, data in new.items():
            archive.addfile(entry(f"./{name}", len(data)), io.BytesIO(data))
    return buffer.getvalue()


def zip_twice(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bytes:
    """Return a zip with all of `old` and then all of `new`, whatever their names."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [*old.items(), *new.items()]:
            archive.writestr(name, data)
    return buffer.getvalue()

"""SHA-256 digests of files, folders, plain values and code, for cache keys and model cards."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from platform import machine
from typing import Any


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(*paths: Path) -> str:
    """Return the SHA-256 of the names and contents of files, and of all files in folders."""
    digest = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                name = file.relative_to(path.parent).as_posix()
                digest.update(f"{name}\0{file_digest(file)}\n".encode())
    return digest.hexdigest()


def value_digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-serialisable value; key order does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


@cache
def code_digest(modules: tuple[str, ...], libraries: tuple[str, ...] = ()) -> str:
    """Return the SHA-256 of the source code of modules, library versions and the processor architecture.

    modules: dotted names; a package includes everything below it. libraries: distribution names; a missing
    one counts as version None. The architecture is included only if there are libraries.

    Raises:
        ModuleNotFoundError: a module does not exist.
    """
    sources = {name: [file_digest(path) for path in _sources(name)] for name in sorted(modules)}
    versions = {name: _version(name) for name in libraries}
    return value_digest([sources, versions, machine() if libraries else ""])


def _sources(module: str) -> Iterator[Path]:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {module!r}")
    if spec.submodule_search_locations is None:
        yield Path(spec.origin)
    else:
        yield from sorted(Path(spec.origin).parent.rglob("*.py"))


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None

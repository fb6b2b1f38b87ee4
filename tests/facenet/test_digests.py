"""The same content has the same digest, and any change that matters gives another one."""

import hashlib
import importlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facenet import digests
from facenet.digests import code_digest, file_digest, folder_digest, value_digest


@pytest.fixture(autouse=True)
def fresh_digests() -> Iterator[None]:
    code_digest.cache_clear()
    yield
    code_digest.cache_clear()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable package `digested` with a module, a subpackage and a file that is not code."""
    folder = tmp_path / "digested"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "module.py", "inner/__init__.py", "inner/deep.py", "notes.txt"):
        (folder / name).write_text(f"# {name}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "digested"]:
        del sys.modules[name]  # finding a module imports the packages above it


def fresh(*modules: str, libraries: tuple[str, ...] = ()) -> str:
    code_digest.cache_clear()
    return code_digest(modules, libraries)


def test_a_file_digest_is_sha_256_as_other_tools_compute_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc" * 10**6)
    printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout
    assert file_digest(path) == printed.split()[0]


def test_a_folder_digest_covers_names_and_contents_and_nothing_else(tmp_path: Path) -> None:
    one, two = tmp_path / "a" / "data", tmp_path / "b" / "data"
    for folder, order in ((one, ("x", "y")), (two, ("y", "x"))):
        folder.mkdir(parents=True)
        for name in order:
            (folder / name).write_text(name * 3)
    assert folder_digest(one) == folder_digest(two)
    lines = "".join(f"data/{n}\0{hashlib.sha256((n * 3).encode()).hexdigest()}\n" for n in "xy")
    assert folder_digest(one) == hashlib.sha256(lines.encode()).hexdigest()
    (two / "y").write_text("other")
    changed = folder_digest(two)
    (two / "y").rename(two / "z")
    assert len({folder_digest(one), changed, folder_digest(two)}) == 3


def test_a_folder_digest_takes_files_and_folders_in_the_given_order(tmp_path: Path) -> None:
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "x").write_text("x")
    (tmp_path / "y").write_text("y")
    names = {"folder/deep/x": "x", "y": "y"}
    lines = "".join(f"{name}\0{hashlib.sha256(text.encode()).hexdigest()}\n" for name, text in names.items())
    digest = folder_digest(tmp_path / "folder", tmp_path / "y")
    assert digest == hashlib.sha256(lines.encode()).hexdigest()
    assert folder_digest(tmp_path / "y", tmp_path / "folder") != digest


def test_a_value_digest_ignores_the_order_of_keys_alone() -> None:
    value = {"b": [1, 2], "a": {"y": None, "x": 0.5}}
    assert value_digest(value) == value_digest({"a": {"x": 0.5, "y": None}, "b": [1, 2]})
    assert value_digest(value) == hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    others = [{**value, "b": [2, 1]}, {**value, "b": [1, 2.5]}, {**value, "c": 1}]
    assert len({value_digest(value), *map(value_digest, others)}) == 4


def test_a_code_digest_changes_with_a_source_file(library: Path) -> None:
    before = fresh("digested.module"), fresh("digested.inner")
    (library / "module.py").write_text("# changed\n")
    after = fresh("digested.module"), fresh("digested.inner")
    assert after[0] != before[0]
    assert after[1] == before[1]


@pytest.mark.parametrize("name", ["__init__.py", "module.py", "inner/__init__.py", "inner/deep.py", "new.py"])
def test_a_code_digest_of_a_package_covers_everything_below_it(library: Path, name: str) -> None:
    before = fresh("digested")
    (library / name).write_text("# changed\n")
    assert fresh("digested") != before


def test_a_code_digest_ignores_files_that_are_not_code_and_the_order_of_modules(library: Path) -> None:
    before = fresh("digested.module", "digested.inner")
    (library / "notes.txt").write_text("changed")
    assert fresh("digested.inner", "digested.module") == before


def test_a_code_digest_changes_with_library_version_and_processor(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, before = fresh("digested"), fresh("digested", libraries=("numpy",))
    monkeypatch.setattr(digests, "version", lambda name: "0.0.1")
    assert fresh("digested", libraries=("numpy",)) not in (before, alone)
    assert fresh("digested") == alone
    monkeypatch.undo()
    monkeypatch.setattr(digests, "machine", lambda: f"not {platform.machine()}")
    monkeypatch.syspath_prepend(library.parent)
    assert fresh("digested", libraries=("numpy",)) != before
    assert fresh("digested") == alone


def test_a_library_that_is_not_installed_counts_as_such(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = fresh("digested", libraries=("no-such-library",))
    assert fresh("digested", libraries=("no-such-library",)) == missing
    monkeypatch.setattr(digests, "version", lambda name: "1.0")
    assert fresh("digested", libraries=("no-such-library",)) != missing


@pytest.mark.parametrize("name", ["digested.nowhere", "nosuchpackage"])
def test_an_unknown_module_is_an_error_that_names_it(library: Path, name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=f"No module named '{name}'"):
        code_digest((name,))

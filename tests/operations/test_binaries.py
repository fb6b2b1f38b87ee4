"""The programs of PostgreSQL are found, in the version that a cluster needs."""

from pathlib import Path

import pytest

from operations.binaries import PROGRAMS, VARIABLE, find_binaries, major, require_binaries
from operations.errors import ServicesFailed
from operations.folder import Folder


def install(folder: Path, version: str = "15") -> Path:
    folder.mkdir(parents=True)
    for name in PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.4 (Debian 1)'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def _only_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", "/bin")


def test_the_newest_version_is_found(tmp_path: Path) -> None:
    assert find_binaries() is None
    install(tmp_path / "9.6" / "bin")
    newest = install(tmp_path / "15" / "bin")
    (tmp_path / "16" / "bin").mkdir(parents=True)  # the client alone
    assert find_binaries() == newest
    assert major(newest) == "15"


def test_a_folder_of_programs_can_be_named_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(install(tmp_path / "here")))
    assert find_binaries() == tmp_path / "here"


def test_a_cluster_gets_the_version_that_created_it(tmp_path: Path, folder: Folder) -> None:
    with pytest.raises(ServicesFailed, match=r"^PostgreSQL is not installed: .* package postgresql,"):
        require_binaries(folder)
    newer = install(tmp_path / "17" / "bin", "17")
    assert require_binaries(folder) == newer
    (folder.postgresql / "data").mkdir(parents=True)
    (folder.postgresql / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(ServicesFailed, match=r"PostgreSQL 15, which created .* package postgresql-15,"):
        require_binaries(folder)
    older = install(tmp_path / "15" / "bin", "15")
    assert require_binaries(folder) == older

"""Everything of the servers is in one folder, and what is private stays so."""

import os
from pathlib import Path

import pytest

from operations.folder import VARIABLE, Folder, write_private


def test_the_folder_is_chosen_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    assert Folder.chosen().path == tmp_path / ".services"
    monkeypatch.setenv(VARIABLE, "else/where")
    assert Folder.chosen().path == tmp_path / "else" / "where"


def test_others_cannot_look_into_it(folder: Folder) -> None:
    assert folder.path.stat().st_mode & 0o066 == 0
    for part in (folder.logs, folder.prefect, folder.mlflow, folder.s3):
        assert part.stat().st_mode & 0o077 == 0


def test_a_private_file_is_private_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "secret", "é")
        write_private(tmp_path / "secret", "ü")
    finally:
        os.umask(before)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secret").read_text() == "ü"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]

"""Temporary files of the worker are private, and on a short path."""

import os
from pathlib import Path

import pytest

from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.temporary import create_temporary_folder, remove_temporary_folder


def test_it_is_private_short_and_the_same_again(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = create_temporary_folder(folder)
    assert path.parent == tmp_path
    assert len(path.name) < 30
    assert path.stat().st_mode & 0o777 == 0o700
    (path / "left").touch()
    assert create_temporary_folder(folder) == path
    remove_temporary_folder(folder)
    remove_temporary_folder(folder)
    assert not path.exists()


def test_what_another_user_put_there_is_not_used(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = create_temporary_folder(folder)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(ServicesFailed, match="belongs to another user"):
        create_temporary_folder(folder)
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path.rmdir()
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServicesFailed, match="belongs to another user"):
        create_temporary_folder(folder)

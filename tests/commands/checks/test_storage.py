"""A disk that is full or read-only is found on real, small file systems."""

import subprocess
from pathlib import Path

import pytest

from commands.checks.storage import check_places, check_secrets
from tests.disks import small_disk


def test_a_full_and_a_read_only_disk_are_named_with_their_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        for name in ("dvc.yaml", "params.yaml"):
            (disk / name).touch()
        (disk / "data").mkdir()
        monkeypatch.chdir(disk)
        found = {finding.check: finding for finding in check_places()}
        assert found["place data"].state == "wrong"
        assert found["place data"].message.startswith("0 MB are free of 0 MB; training and downloads need")
        assert found["place data"].fix == "make prune ARGS=--apply"
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        found = {finding.check: finding for finding in check_places()}
        assert "the file system is read-only" in found["place data"].message
        assert found["place data"].fix == f"mount -o remount,rw '{disk}'"
        monkeypatch.undo()


def test_a_private_file_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(check_secrets()) == []
    (tmp_path / ".env").touch(mode=0o600)
    (finding,) = check_secrets()
    assert (finding.state, finding.message) == ("ok", "only this user can read .env")

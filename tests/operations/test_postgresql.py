"""PostgreSQL of the system is found, and what a dead one leaves behind is recognised."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from operations import postgresql
from operations.binaries import PROGRAMS
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.secrets import Secrets
from tests.waiting import wait_for


def test_root_runs_it_as_another_user() -> None:
    user = postgresql.identity()
    assert (user is None) == (os.geteuid() != 0)
    assert user is None or user.pw_uid != 0


def test_a_pid_file_counts_only_if_its_process_is_this_cluster(folder: Folder) -> None:
    data = folder.postgresql / "data"
    data.mkdir(parents=True)
    file = data / "postmaster.pid"
    postgresql.remove_stale_pid(folder)
    for stale in (f"{os.getpid()}\n{data}\n", "999999999\n", "", "x\n"):
        file.write_text(stale)
        assert postgresql.postmaster(folder) is None
        postgresql.remove_stale_pid(folder)
        assert not file.exists(), stale
    sleep = [sys.executable, "-c", "import time; time.sleep(600)", "-D", str(data)]
    with subprocess.Popen(sleep) as process:
        file.write_text(f"{process.pid}\n{data}\n")
        found = wait_for(lambda: postgresql.postmaster(folder))
        postgresql.remove_stale_pid(folder)
        process.kill()
    assert found
    assert found.pid == process.pid
    assert file.exists()


def test_a_failed_start_leaves_no_cluster_and_no_password(folder: Folder, tmp_path: Path) -> None:
    folder.path.chmod(0o711)
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name in PROGRAMS:
        (binaries / name).write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
        (binaries / name).chmod(0o755)
    with pytest.raises(ServicesFailed, match=r"no space left|cannot enter"):
        postgresql.create_cluster(folder, Secrets(), binaries, 5433)
    assert not (folder.postgresql / "data").exists()
    assert not (folder.postgresql / "password").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
def test_a_folder_that_its_user_cannot_enter_is_named(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    folder = Folder(tmp_path / "private" / "services")
    folder.create()
    with pytest.raises(ServicesFailed, match=r"cannot enter .*FACENET_SERVICES.*--database sqlite"):
        postgresql.create_cluster(folder, Secrets(), tmp_path, 5433)

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.forgetting.busy import WorkspaceBusy, alone
from flows.workspace import LOCK, WorkspaceInvalid


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dvc")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    return folder


def test_a_flow_run_in_the_workspace_is_named(template: Path) -> None:
    with (template / LOCK).open("w") as file:
        file.write("train-facenet, process 7")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(WorkspaceBusy, match="train-facenet, process 7 works in"), alone(template):
            pass
    with alone(template):
        pass


def test_a_stage_that_runs_is_named_and_one_that_was_killed_is_not(template: Path) -> None:
    noted = template / ".dvc" / "tmp" / "rwlock"
    for pid, ended in ((os.getpid(), False), (2**22 + 1, True)):
        noted.write_text(json.dumps({"data/raw": {"write": {"pid": pid, "cmd": "dvc repro"}}}))
        if ended:
            with alone(template):
                pass
        else:
            with pytest.raises(WorkspaceBusy, match="`dvc repro` runs in"), alone(template):
                pass
    noted.unlink()


def test_meanwhile_neither_dvc_nor_a_flow_can_work(template: Path) -> None:
    from dvc.lock import LockError
    from dvc.repo import Repo

    with alone(template):
        with Repo(str(template)) as repo, pytest.raises(LockError), repo.lock:
            pass
        with pytest.raises(WorkspaceBusy), alone(template):
            pass


def test_a_folder_without_dvc_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceInvalid, match="is not a DVC workspace"), alone(tmp_path):
        pass

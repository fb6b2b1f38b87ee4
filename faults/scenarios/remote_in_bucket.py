"""A DVC remote in the S3 store of `make up`: pushed, pulled, and a stopped store is a named problem."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from faults.errors import FaultFound, NotPossible
from faults.servers import ROOT, running
from operations.errors import ServicesFailed
from operations.s3 import BUCKET, find_weed
from operations.stack import client_environment

STAGES = "stages: {ingest: {cmd: cp code.py faces.txt, deps: [code.py], outs: [faces.txt]}}\n"
EXCHANGE = """
import sys
from flows import remote
remote.PAUSE_SECONDS = 1.0
print("problem:", remote.exchange(getattr(remote, sys.argv[1]), print))
"""


def run(folder: Path) -> None:
    """Push, lose the cache, pull, run nothing; then stop the store and push again."""
    try:
        find_weed()
    except ServicesFailed as error:
        raise NotPossible(str(error)) from error
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "code.py").write_text("faces")
    (workspace / "dvc.yaml").write_text(STAGES)
    with running(folder, "--s3", "--database", "sqlite") as servers:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **client_environment(servers.stack)}

        def call(*words: str) -> str:
            command = [sys.executable, *words]
            return subprocess.run(
                command, cwd=workspace, env=environment, check=True, capture_output=True, text=True
            ).stdout

        call("-m", "dvc", "init", "--quiet", "--no-scm")
        call("-m", "dvc", "remote", "add", "--default", "storage", f"s3://{BUCKET}/dvc")
        call("-m", "dvc", "repro", "--quiet")
        _expect("problem: \n", call("-c", EXCHANGE, "PUSH"))
        shutil.rmtree(workspace / ".dvc" / "cache")
        (workspace / "faces.txt").unlink()
        _expect("problem: \n", call("-c", EXCHANGE, "PULL"))
        _expect("didn't change, skipping", call("-m", "dvc", "repro"))
        servers.command("down")
        (workspace / "code.py").write_text("other faces")
        call("-m", "dvc", "repro", "--quiet")
        _expect("failed for the remote storage", call("-c", EXCHANGE, "PUSH"))


def _expect(words: str, out: str) -> None:
    if words not in out:
        raise FaultFound(f"expected {words!r}:\n{out[-2000:]}")
    print(f"   {out.strip().splitlines()[-1]}")

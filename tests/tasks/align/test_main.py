"""The stage as a process: a failure to write is one message that names the file and the fix."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.disks import small_disk
from tests.tasks.align.conftest import RawWriter

Photos = list[tuple[str, bytes]]


def align(workspace: Path, root: Path) -> "subprocess.CompletedProcess[str]":
    (workspace / "params.yaml").write_bytes((root / "params.yaml").read_bytes())
    return subprocess.run(
        [sys.executable, "-m", "tasks.align"],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": str(root), "FACENET_WORKERS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def message(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line of a failed run, which has no traceback."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_full_disk(tmp_path: Path, root: Path, write_raw: RawWriter, orl_photos: Photos) -> None:
    with small_disk(tmp_path / "disk", 128) as workspace:
        write_raw(workspace / "data" / "raw", [("s1", "evaluate", data) for _, data in orl_photos[:6]])
        last = message(align(workspace, root))
    assert last.startswith("StorageFailed: ")
    assert "data/aligned/faces-0000.arrow: the disk is full. Free some space and run" in last


@pytest.mark.parametrize("place", ["data/cache", "reports"])
def test_a_file_in_the_place_of_a_folder(
    tmp_path: Path, root: Path, write_raw: RawWriter, orl_photos: Photos, place: str
) -> None:
    write_raw(tmp_path / "data" / "raw", [("s1", "evaluate", orl_photos[0][1])])
    (tmp_path / place).touch()
    last = message(align(tmp_path, root))
    assert place in last
    assert "a folder is needed" in last
    assert last.lower().endswith("move it away.")

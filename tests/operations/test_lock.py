"""Two commands never start or stop the same servers at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from operations.folder import Folder
from operations.lock import exclusive

WAIT = """
import sys
from pathlib import Path
from operations.folder import Folder
from operations.lock import exclusive
with exclusive(Folder(Path(sys.argv[1]))):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_the_second_waits_and_says_so_until_the_first_is_killed(
    folder: Folder, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAIT, str(folder.path)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout
        assert first.stdout.readline() == "locked\n"
        second = subprocess.Popen(
            [sys.executable, "-c", WAIT, str(folder.path)],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr
        assert "Waiting for another command" in second.stderr.readline()
        assert second.poll() is None
        first.kill()
        assert second.communicate(timeout=60)[0] == "locked\n"
    with exclusive(folder):
        pass
    assert capfd.readouterr().err == ""

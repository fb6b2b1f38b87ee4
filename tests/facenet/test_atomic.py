"""A reader sees the old content or the new, whatever happens to the writer."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facenet.atomic import TEMPORARY, atomic_path, remove_temporaries, write_bytes, write_text


def test_the_content_is_complete_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.bin"
    write_bytes(path, b"old")
    write_text(path, "zoë")
    assert path.read_bytes() == "zoë".encode()
    assert list(path.parent.iterdir()) == [path]


def test_the_old_content_stays_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert temporary.parent == path.parent  # a rename across file systems would copy
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_the_old_content_and_no_temporary(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(error), atomic_path(path) as temporary:  # noqa: PT012 - the block itself must fail
        temporary.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "file"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_the_old_content_and_a_removable_temporary(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    code = (
        "import sys, time; from pathlib import Path; from facenet.atomic import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as t:\n    t.write_bytes(b'half')\n"
        "    print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        os.kill(writer.pid, signal.SIGKILL)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir() if p != path] == [f"{TEMPORARY}{writer.pid}-file"]
    remove_temporaries(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_readers_never_see_a_half_written_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"a" * 2**20)
    code = (
        "import sys; from pathlib import Path; from facenet.atomic import write_bytes\n"
        "for n in range(40): write_bytes(Path(sys.argv[1]), (b'b' if n % 2 else b'a') * 2**20)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)]) as writer:
        seen: set[tuple[int, int]] = set()
        while writer.poll() is None:
            content = path.read_bytes()
            seen.add((len(content), len(set(content))))
            time.sleep(0.001)
    assert seen == {(2**20, 1)}

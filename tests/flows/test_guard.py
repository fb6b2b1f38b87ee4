"""Process groups end with the guard."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flows import guard
from tests.waiting import wait_for

# A command with a child process; both write their pid, and ignore SIGTERM if `stubborn`.
FAMILY = """
import os, signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "child" not in sys.argv:
    subprocess.Popen([sys.executable, __file__, "child", *sys.argv[1:]])
with open("pids", "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(600)
"""


def start(folder: Path, *words: str, grace: float) -> tuple[subprocess.Popen[bytes], list[int]]:
    (folder / "family.py").write_text(FAMILY)
    command = [sys.executable, guard.__file__, str(grace), sys.executable, str(folder / "family.py"), *words]
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE)
    pids = folder / "pids"
    wait_for(lambda: pids.exists() and pids.read_text().count("\n") == 2)
    return process, [int(pid) for pid in pids.read_text().split()]


def test_closing_the_input_ends_child_and_grandchild(tmp_path: Path, is_alive: Callable[[int], bool]) -> None:
    process, pids = start(tmp_path, grace=600)
    process.stdin.close()
    assert process.wait(120) == 128 + signal.SIGTERM  # no need to wait for the grace period
    assert not any(map(is_alive, pids))


def test_processes_that_ignore_sigterm_are_killed_after_the_grace_period(
    tmp_path: Path, is_alive: Callable[[int], bool]
) -> None:
    process, pids = start(tmp_path, "stubborn", grace=0.5)
    process.stdin.close()
    assert process.wait(120) == 128 + signal.SIGKILL
    assert not any(map(is_alive, pids))


def test_sigterm_to_the_guard_does_not_orphan_the_group(
    tmp_path: Path, is_alive: Callable[[int], bool]
) -> None:
    process, pids = start(tmp_path, grace=600)
    process.terminate()
    time.sleep(0.3)
    assert process.poll() is None
    process.stdin.close()
    process.wait(120)
    assert not any(map(is_alive, pids))


def test_processes_left_behind_by_a_finished_command_are_ended(
    tmp_path: Path, is_alive: Callable[[int], bool]
) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL).pid)"
    command = [sys.executable, guard.__file__, "5", sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.wait(120) == 0
        assert not is_alive(int(process.stdout.read()))


def test_the_exit_code_is_that_of_the_command() -> None:
    command = [sys.executable, guard.__file__, "5", sys.executable, "-c", "raise SystemExit(7)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.wait(120) == 7


def test_members_are_only_those_of_the_group() -> None:
    with subprocess.Popen(["sleep", "600"], process_group=0) as sleeper:
        assert guard.members(sleeper.pid) == [sleeper.pid]
        assert os.getpid() not in guard.members(sleeper.pid)
        sleeper.kill()
        wait_for(lambda: guard.members(sleeper.pid) == [])  # it is a zombie until it is waited for

"""Child processes whose output is read while they run."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.process import Lines, run
from tests.waiting import wait_for


def cut(*chunks: str, progress_seconds: float = 1e9) -> list[str]:
    lines = Lines(progress_seconds)
    return [line for chunk in chunks for line in lines.feed(chunk)] + list(lines.close())


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (["one\ntwo\n"], ["one", "two"]),
        (["on", "e\ntw", "o"], ["one", "two"]),
        (["one\r\ntwo\r\n"], ["one", "two"]),
        (["one\r", "\ntwo\r", "\n"], ["one", "two"]),  # \r\n split between chunks is not a progress bar
        (["\n\n  \n"], []),
        (["\x1b[32mgreen\x1b[0m\n"], ["green"]),
        (["\r 10%\r 50%\r100%\ndone\n"], [" 10%", "100%", "done"]),  # the first state, and always the last
        (["\r 10%\r 50%"], [" 10%", " 50%"]),
        ([], []),
    ],
)
def test_lines(chunks: list[str], expected: list[str]) -> None:
    assert cut(*chunks) == expected


def test_every_state_of_a_bar_passes_if_enough_time_passes() -> None:
    assert cut("a\rb\rc\n", progress_seconds=0) == ["a", "b", "c"]


def test_a_real_progress_bar_becomes_a_few_lines() -> None:
    code = "import time, tqdm\nfor _ in tqdm.tqdm(range(300), mininterval=0.01): time.sleep(0.002)"
    seen: list[str] = []
    assert run([sys.executable, "-c", code], seen.append) == 0
    assert 1 <= len(seen) <= 3
    assert "300/300" in seen[-1]


def test_both_streams_come_in_order_with_the_exit_code() -> None:
    code = "import sys\nfor i in range(3): print(i, flush=True); print(-i, file=sys.stderr)\nsys.exit(3)"
    seen: list[str] = []
    assert run([sys.executable, "-c", code], seen.append) == 3
    assert seen == ["0", "0", "1", "-1", "2", "-2"]


def test_bytes_that_are_not_utf8_do_not_stop_it() -> None:
    seen: list[str] = []
    run([sys.executable, "-c", r"import os; os.write(1, b'caf\xc3\xa9 \xff\n')"], seen.append)
    assert seen == ["café �"]


def test_lines_come_while_the_command_runs(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    code = (
        "import pathlib, sys, time; print('do you hear me', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
        "print('good')"
    )
    seen: list[str] = []

    def on_line(line: str) -> None:
        seen.append(line)
        heard.touch()

    assert run([sys.executable, "-c", code, str(heard)], on_line) == 0
    assert seen == ["do you hear me", "good"]


def test_an_exception_ends_the_command_and_its_last_output_is_read() -> None:
    code = (
        "import signal, sys, time\n"
        "def leave(*_): print('checkpoint written', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\nprint('ready', flush=True)\ntime.sleep(600)"
    )
    seen: list[str] = []

    def on_line(line: str) -> None:
        seen.append(line)
        if line == "ready":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", code], on_line)
    assert seen == ["ready", "checkpoint written"]


def test_a_check_that_raises_ends_a_silent_command(is_alive: Callable[[int], bool]) -> None:
    seen: list[str] = []

    def check() -> None:
        if seen:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        run(
            [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"],
            seen.append,
            check=check,
        )
    assert not is_alive(int(seen[0]))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_is_left_when_the_caller_is_killed(
    number: signal.Signals, root: Path, is_alive: Callable[[int], bool]
) -> None:
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    caller = (
        "import sys; from flows.process import run; "
        f"run([sys.executable, '-c', {child!r}], lambda line: print(line, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", caller],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # as in a terminal, not as in a background job
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.send_signal(number)
        process.wait(120)
    wait_for(lambda: not is_alive(pid))

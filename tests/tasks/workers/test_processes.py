"""Worker processes: where they import from, what they inherit, and how their errors arrive."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from tasks.workers.processes import begin, preload
from tasks.workers.team import WORKERS

R = TypeVar("R")


def fail(numbers: list[int]) -> list[int]:
    raise ValueError("a mistake of ours")


def where(name: str) -> tuple[int, str, str | None]:
    return os.getpid(), str(Path.cwd()), os.environ.get(name)


def call_in_worker(function: Callable[..., R], *args: object) -> R:
    with begin(partial(function, *args), in_worker=True) as result:
        return result()


def test_a_call_sees_the_current_environment_and_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call_in_worker(where, "FACENET_NOW")[2] is None
    monkeypatch.setenv("FACENET_NOW", "1")
    monkeypatch.chdir(tmp_path)
    process, folder, value = call_in_worker(where, "FACENET_NOW")
    assert (folder, value) == (str(tmp_path), "1")
    assert process != os.getpid()


def test_an_error_in_a_worker_is_raised_here() -> None:
    with pytest.raises(ValueError, match="a mistake of ours"):
        call_in_worker(fail, [1])


def test_without_a_worker_the_call_runs_here_on_demand() -> None:
    calls: list[int] = []
    with begin(partial(calls.append, 1), in_worker=False) as result:
        assert calls == []
        result()
    assert calls == [1]


def test_a_call_starts_before_its_result_is_requested(tmp_path: Path) -> None:
    written = tmp_path / "written"
    with begin(partial(written.write_text, "1"), in_worker=True):
        pass
    assert written.read_text() == "1"


@pytest.mark.parametrize(("count", "expected"), [("1", False), ("2", sys.platform == "linux")])
def test_nothing_is_preloaded_for_one_process(
    count: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WORKERS, count)
    assert preload("json") == expected


SQUARES_SCRIPT = """
from tests.tasks.test_workers import make_squarer
from tasks.workers.processes import preload
from tasks.workers import run_jobs
if __name__ == "__main__":
    preload("tests.tasks.test_workers")
    print([squares for _, squares in run_jobs(make_squarer, [[2], [3]], 2)])
"""


def test_workers_import_from_where_their_parent_does_and_not_from_the_folder(
    tmp_path: Path, root: Path
) -> None:
    (tmp_path / "script.py").write_text(SQUARES_SCRIPT)
    (tmp_path / "folder" / "tasks").mkdir(parents=True)
    (tmp_path / "folder" / "tasks" / "__init__.py").write_text("raise RuntimeError('not this one')")
    command = [sys.executable, tmp_path / "script.py"]
    environment = {**os.environ, "PYTHONPATH": str(root), WORKERS: "2"}
    done = subprocess.run(
        command, cwd=tmp_path / "folder", env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[[4], [9]]\n", "")

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from facenet.errors import ParamsInvalid
from tasks.ingest import workers
from tasks.ingest.workers import WORKERS, judge_all, worker_count


def _length(data: bytes) -> int:
    return len(data)


def _fatal(data: bytes) -> int:
    if data == b"poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return len(data)


def _failing(data: bytes) -> int:
    raise ValueError("a mistake of ours")


FILES = [(number, b"x" * (number % 7)) for number in range(500)]


@pytest.mark.parametrize("count", [1, 3])
def test_results_come_in_order(count: int) -> None:
    found = list(judge_all(_length, FILES, workers=count, if_killed=-1))
    assert found == [(number, data, len(data)) for number, data in FILES]


@pytest.mark.parametrize("count", [1, 2])
def test_no_files_no_results(count: int) -> None:
    assert list(judge_all(_length, [], workers=count, if_killed=-1)) == []


def test_a_file_that_kills_its_worker_is_found_and_the_others_are_judged() -> None:
    files = [(number, b"poison" if number in (40, 41, 200) else data) for number, data in FILES[:260]]
    found = {item: result for item, _, result in judge_all(_fatal, files, workers=2, if_killed=-1)}
    assert found == {number: -1 if data == b"poison" else len(data) for number, data in files}


@pytest.mark.parametrize("count", [1, 2])
def test_a_mistake_in_the_judge_is_not_taken_for_a_bad_photo(count: int) -> None:
    with pytest.raises(ValueError, match="a mistake of ours"):
        list(judge_all(_failing, FILES, workers=count, if_killed=-1))


def test_files_are_not_read_far_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "BYTES_UNDER_WAY", 3000)
    read = 0

    def files() -> Iterator[tuple[int, bytes]]:
        nonlocal read
        for number in range(2000):
            read += 1
            yield number, bytes(100)

    for number, _, _ in judge_all(_length, files(), workers=2, if_killed=-1):
        assert read <= number + 3 * workers.CHUNK_FILES


def test_one_large_file_is_judged_whatever_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "BYTES_UNDER_WAY", 10)
    assert [
        r for _, _, r in judge_all(_length, [(0, bytes(50)), (1, bytes(60))], workers=2, if_killed=-1)
    ] == [
        50,
        60,
    ]


def test_workers_end_when_the_caller_stops_early() -> None:
    before = set(psutil.Process().children())
    results = judge_all(_length, FILES, workers=2, if_killed=-1)
    next(results)
    results.close()  # type: ignore[attr-defined]
    left = [
        p for p in psutil.Process().children() if p not in before and "spawn_main" in " ".join(p.cmdline())
    ]
    assert left == []


ORPHANS = """
from tests.tasks.ingest.test_workers import _length
from tasks.ingest.workers import judge_all
import sys, time
if __name__ == "__main__":
    results = judge_all(_length, ((n, b"x") for n in range(10**6)), workers=2, if_killed=-1)
    next(results)
    print("ready", flush=True)
    time.sleep(60)
"""


def test_no_worker_outlives_a_killed_parent(tmp_path: Path, root: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []


@pytest.mark.parametrize("text", ["0", "-1", "two", ""])
def test_a_wrong_number_of_workers_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS, text)
    with pytest.raises(ParamsInvalid, match=WORKERS):
        worker_count()


def test_the_number_of_workers_is_that_of_processors_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS, "5")
    assert worker_count() == 5
    monkeypatch.delenv(WORKERS)
    assert 1 <= worker_count() <= (os.cpu_count() or 1)

"""Reports are stable files; the meter sees time and the memory of children too."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tasks.reports import Meter, read_report, write_report
from tests.waiting import wait_for


def test_a_report_reads_back_in_the_given_order_and_writes_the_same_bytes(tmp_path: Path) -> None:
    metrics = {"zoë": 1, "accuracy": 0.5, "rejected": {"corrupt": 2, "blank": 0}, "none": None}
    path = tmp_path / "reports" / "x.json"
    write_report(path, metrics)
    first = path.read_bytes()
    assert read_report(path) == metrics
    assert list(read_report(path)) == list(metrics)
    assert "zoë" in first.decode()
    write_report(path, metrics)
    assert path.read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_report(path, {"a": 1})
    with pytest.raises(TypeError):
        write_report(path, {"a": object()})
    assert read_report(path) == {"a": 1}


def test_meter_measures_time_and_rate() -> None:
    start = time.perf_counter()
    with Meter() as meter:
        time.sleep(0.1)
    assert 0.1 <= meter.seconds <= time.perf_counter() - start
    assert meter.rate(30) == round(30 / meter.seconds, 1)
    assert Meter().rate(30) == 0.0


def memory_mb(without: int = 0) -> float:
    """Return the resident megabytes of this process and its children, which servers of other tests may be."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return float(sum(process.memory_info().rss for process in family if process.pid != without) / 2**20)


def test_meter_sees_the_memory_of_this_process_and_of_its_children() -> None:
    with Meter() as alone:
        held = bytearray(b"x" * 2**26)
        wait_for(lambda: alone.peak_memory_mb >= memory_mb() - 1)
    del held
    child = [sys.executable, "-c", "x = bytearray(b'x' * 2**27); input()"]
    with Meter() as together, subprocess.Popen(child, stdin=subprocess.PIPE) as process:
        wait_for(lambda: together.peak_memory_mb >= memory_mb(process.pid) + 128)
        process.communicate(b"\n")
    assert process.returncode == 0


def test_meter_stops_when_the_block_fails() -> None:
    meter = Meter()
    with pytest.raises(KeyError), meter:
        raise KeyError
    assert meter.seconds > 0
    assert not meter._thread.is_alive()

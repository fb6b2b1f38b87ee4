"""Reports are stable files; the meter sees time and the memory of children too."""

import ast
import json
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from facenet.errors import DataInvalid
from tasks.reports import Meter, numbers, read_report, write_report
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


def refuse(token: str) -> None:
    raise AssertionError(f"{token} is not JSON")


def test_nan_and_infinity_become_null_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    metrics = {
        "log_loss": math.inf,
        "interval": (0.1, -math.inf),
        "deep": {"er": [{"mean": np.float64("nan")}], "fine": 1e300},
        "accuracy": 0.5,
    }
    write_report(path, metrics)
    report = json.loads(path.read_text(), parse_constant=refuse)
    assert report == {
        "log_loss": None,
        "interval": [0.1, None],
        "deep": {"er": [{"mean": None}], "fine": 1e300},
        "accuracy": 0.5,
        "not_finite": {"log_loss": "inf", "interval.1": "-inf", "deep.er.0.mean": "nan"},
    }
    assert list(report)[-1] == "not_finite"


def test_reading_gives_back_nan_and_infinity(tmp_path: Path) -> None:
    metrics = {"a": math.inf, "b": [0.5, -math.inf, None], "c": {"d.e": {"f": math.inf}}, "g": None}
    write_report(tmp_path / "x.json", metrics)
    assert read_report(tmp_path / "x.json") == metrics
    write_report(tmp_path / "x.json", {"a": [math.nan]})
    assert math.isnan(read_report(tmp_path / "x.json")["a"][0])


@pytest.mark.parametrize("content", [b"", b'{"accuracy": 0.', b"[1, 2]", b"null", b"\xff\xfe{", b"\0" * 20])
@pytest.mark.parametrize(("name", "stage"), [("evaluation", "evaluate"), ("ingest", "ingest")])
def test_a_damaged_report_names_the_file_and_the_stage_that_writes_it(
    tmp_path: Path, content: bytes, name: str, stage: str
) -> None:
    path = tmp_path / f"{name}.json"
    path.write_bytes(content)
    with pytest.raises(DataInvalid, match=rf"{name}\.json cannot be read as a report: .*dvc repro {stage}`"):
        read_report(path)


def test_a_missing_report_or_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match=r"There is no .*registration\.json\. Run `dvc repro register`"):
        read_report(tmp_path / "registration.json")
    (tmp_path / "train.json").mkdir()
    with pytest.raises(DataInvalid, match=r"train\.json cannot be read .*dvc repro train`"):
        read_report(tmp_path / "train.json")


def test_all_json_written_by_the_project_is_strict(root: Path) -> None:
    """Every json.dump and json.dumps refuses NaN and infinity, which are not JSON."""
    lenient = [
        f"{path.relative_to(root)}:{call.lineno}"
        for folder in ("facenet", "tasks", "flows", "service", "commands")
        for path in sorted((root / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("json.dump", "json.dumps")
        and not any(word.arg == "allow_nan" for word in call.keywords)
    ]
    assert lenient == []


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


def test_numbers_are_flattened_under_names_that_mlflow_accepts() -> None:
    metrics = {"a": {"b?é": 1, "c": float("nan"), "d": True, "e": None}, "f": 0.5, "g": [1], "64-127": 2}
    assert numbers(metrics, "align") == {"align/a/b_é": 1, "align/f": 0.5, "align/64-127": 2}

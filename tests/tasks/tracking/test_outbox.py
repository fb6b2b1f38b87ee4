"""The file of records: what is appended, what a resumed run repeats, and when it can go."""

import json
from pathlib import Path

import pytest

from facenet.errors import StorageFailed
from tasks.tracking.append_only import FolderBusy
from tasks.tracking.outbox import Outbox
from tests.disks import small_disk

pytestmark = pytest.mark.usefixtures("mlflow_store")


def records(outbox: Outbox) -> list[dict[str, object]]:
    return [record for record, _ in outbox.read()]


def test_a_step_that_a_resumed_run_repeats_is_logged_once() -> None:
    with Outbox("a") as outbox:
        outbox.log_metrics({"loss": 2.0}, 10)
        outbox.log_metrics({"loss": 1.5}, 20)
    with Outbox("a") as outbox:
        outbox.log_metrics({"loss": 1.6, "lr": 0.1}, 20)
        outbox.log_metrics({"loss": 1.0}, 30)
        for _ in range(2):
            outbox.log_metrics({"evaluation/accuracy": 0.9})
        found = [(record["step"], record["metrics"]) for record in records(outbox)]
    assert found == [
        (10, {"loss": 2.0}),
        (20, {"loss": 1.5}),
        (20, {"lr": 0.1}),
        (30, {"loss": 1.0}),
        (None, {"evaluation/accuracy": 0.9}),
        (None, {"evaluation/accuracy": 0.9}),
    ]


def test_the_file_is_strict_json_and_has_whole_lines_only() -> None:
    with Outbox("a") as outbox:
        outbox.log_metrics({"loss": float("nan"), "most": float("inf")}, 1)
        file = outbox.folder / "records.jsonl"
    with file.open("a") as torn:
        torn.write('{"kind": "metr')  # a process was killed while it wrote
    with Outbox("a") as outbox:
        outbox.set_tags({"b": "c"})
        assert [record["kind"] for record in records(outbox)] == ["metrics", "tags"]
    lines = [json.loads(line, parse_constant=pytest.fail) for line in file.read_text().splitlines()]
    assert lines[0]["metrics"] == {"loss": "nan", "most": "inf"}


def test_files_are_copied_as_they_are_now(mlflow_store: Path) -> None:
    report = mlflow_store / "history.csv"
    report.write_text("before")
    with Outbox("a") as outbox:
        outbox.log_file(report, "reports")
        report.write_text("after")
        outbox.log_text("text", "decisions/é.csv")
        copied, text = records(outbox)
        assert (outbox.folder / str(copied["file"])).read_text() == "before"
        assert (copied["artifacts"], Path(str(copied["file"])).name) == ("reports", "history.csv")
        assert (text["artifacts"], Path(str(text["file"])).name) == ("decisions", "é.csv")


def test_one_process_has_it_at_a_time() -> None:
    with Outbox("a"), pytest.raises(FolderBusy, match="data/outbox/a open"), Outbox("a", wait=False):
        pass
    with Outbox("a", wait=False):
        pass


@pytest.mark.parametrize(
    ("status", "checkpoints", "stays"),
    [("FINISHED", True, False), ("KILLED", True, True), ("KILLED", False, False)],
)
def test_it_stays_while_its_run_can_be_resumed(
    mlflow_store: Path, status: str, checkpoints: bool, stays: bool
) -> None:
    place = mlflow_store / "checkpoints"
    if checkpoints:
        place.mkdir()
    with Outbox("a") as outbox:
        outbox.start(name="r", tags={}, resumable=place)
        outbox.end(status)
        outbox.remove_if_done()
        assert outbox.folder.exists(), "nothing has arrived yet"
        outbox.write_state("r", outbox.read()[-1][1])
        outbox.remove_if_done()
        assert outbox.folder.exists() is stays


def test_a_damaged_state_means_that_nothing_has_arrived() -> None:
    with Outbox("a", run_id="b") as outbox:
        assert outbox.state() == ("b", 0)
        outbox.write_state("b", 7)
        assert outbox.state() == ("b", 7)
        (outbox.folder / "state.json").write_text("{}")
        assert outbox.state() == (None, 0)


def test_a_full_disk_is_named(mlflow_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(mlflow_store / "small", 64) as disk:
        monkeypatch.setenv("DVC_ROOT", str(disk))
        with Outbox("a") as outbox:
            with pytest.raises(StorageFailed, match=r"data/outbox/a.*the disk is full"):
                log_until_full(outbox)
            assert [record["step"] for record in records(outbox)][:2] == [0, 1], "whole lines only"


def log_until_full(outbox: Outbox) -> None:
    for step in range(1000):
        outbox.log_metrics({"m" * 200: 1.0}, step)

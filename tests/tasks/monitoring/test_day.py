"""Days with and without a change, and days that are special."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tasks.monitoring.day import watch_day
from tasks.monitoring.settings import MonitoringSettings
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.watched import WatchedModel
from tests.tasks.monitoring.simulation import traffic, watched

SETTINGS = MonitoringSettings(rate=0.05)
TODAY = "2026-11-30"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DecisionStore]:
    opened = DecisionStore.open(tmp_path / "x.db")
    yield opened
    opened.close()


def report(store: DecisionStore, model: WatchedModel | None = None, day: str = TODAY) -> dict[str, Any]:
    found = watch_day(store, model or watched(), date.fromisoformat(day), SETTINGS)
    json.dumps(found, allow_nan=False)
    return found


def usual(store: DecisionStore) -> None:
    for day in (27, 28, 29):
        store.append(traffic(f"2026-11-{day}", 150, day))


def test_a_usual_day(store: DecisionStore) -> None:
    usual(store)
    store.append(traffic(TODAY, 150, 1))
    found = report(store)
    assert (found["status"], found["alarms"], found["notices"]) == ("ok", [], [])
    assert (found["rows"], found["tests"], found["dropped"]) == (150, 6, 0)
    site = found["sites"]["default"]
    assert sum(site["decisions"].values()) == site["rows"] == 150
    assert set(site["histograms"]) >= {"side", "sharpness"}
    assert store.reports(1) == [json.loads(json.dumps(found))]
    assert report(store) == found  # the same log gives the same report


@pytest.mark.parametrize(
    ("change", "alarm"),
    [
        ({"change": [0, 0, 1.5, 0, 0, 0, 0, 0]}, "default: sharpness from "),
        ({"no_match": 0.4}, "default: no match, identify from "),
        ({"latency": 500.0}, "default: latency from "),
        ({"model": "b" * 64}, "model (rows "),
    ],
)
def test_a_change_is_an_alarm(store: DecisionStore, change: dict[str, Any], alarm: str) -> None:
    usual(store)
    store.append(traffic(TODAY, 150, 1, **change))
    found = report(store)
    assert found["status"] == "alarm"
    assert any(entry.startswith(alarm) for entry in found["alarms"])


def test_photos_without_a_face(store: DecisionStore) -> None:
    usual(store)
    store.append(traffic(TODAY, 150, 1))
    store.append([replace(row, decision="no face") for row in traffic(TODAY, 15, 2)])
    assert any(entry.startswith("default: no face from ") for entry in report(store)["alarms"])


def test_an_empty_day_a_first_day_and_few_rows(store: DecisionStore) -> None:
    assert report(store)["status"] == "no rows"
    store.append(traffic(TODAY, 60, 1))
    first = report(store)
    assert (first["status"], first["tests"]) == ("ok", 2)  # the faces, and photos without one
    verdicts = {check["name"]: check["verdict"] for check in first["sites"]["default"]["checks"]}
    assert verdicts["score, identify"] == verdicts["latency"] == "no reference"
    store.append(traffic("2026-12-01", 30, 1, no_match=1.0))
    few = report(store, day="2026-12-01")
    assert (few["status"], few["tests"]) == ("too few", 0)


def test_each_site_is_compared_with_itself(store: DecisionStore) -> None:
    for site, share in (("door", 0.1), ("gate", 0.6)):
        for day in (28, 29):
            store.append(traffic(f"2026-11-{day}", 100, day, no_match=share, site=site))
        store.append(traffic(TODAY, 100, 1, no_match=share, site=site))
    found = report(store)
    assert (found["status"], set(found["sites"]), found["tests"]) == ("ok", {"door", "gate"}, 12)


def test_a_changed_threshold_is_a_notice(store: DecisionStore) -> None:
    usual(store)
    stricter = [
        replace(row, threshold=0.3, decision="match" if (row.score or 0) < 0.3 else "no match")
        for row in traffic(TODAY, 150, 1)
    ]
    store.append(stricter)
    found = report(store)
    assert found["alarms"] == []
    assert found["notices"] == ["default: the threshold of identify has changed from 0.4500 to 0.3000"]


def test_a_site_unlike_the_evaluation_is_a_notice_once_it_has_earlier_days(store: DecisionStore) -> None:
    for day in (27, 28, 29, 30):
        store.append(traffic(f"2026-11-{day}", 200, day, change=[0, 0, 3, 0, 0, 0, 0, 0]))
    first, later = report(store, day="2026-11-27"), report(store)
    assert first["status"] == "alarm"
    assert (later["status"], later["notices"]) == ("ok", ["default: unlike the evaluation, as to sharpness"])


def test_a_model_without_a_reference(store: DecisionStore) -> None:
    usual(store)
    store.append(traffic(TODAY, 150, 1, change=[0, 3, 0, 0, 0, 0, 0, 0]))
    found = report(store, replace(watched(), reference=None))
    assert any(entry.startswith("default: side from ") for entry in found["alarms"])
    assert "has no monitoring reference" in found["notices"][0]

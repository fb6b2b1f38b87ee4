"""The page of the last days: in a browser, without a log, with an empty one, and with one that fails."""

from datetime import date
from pathlib import Path

from fastapi.testclient import TestClient

from service.api.decisions import Decisions
from service.pages.router import add_pages
from tasks.monitoring.day import watch_day
from tasks.monitoring.settings import MonitoringSettings
from tasks.monitoring.store import DecisionStore
from tests.service.api.apps import bare_app
from tests.tasks.monitoring.simulation import traffic, watched


def page(decisions: Decisions | None) -> tuple[int, str]:
    app = bare_app(decisions=decisions)
    add_pages(app)
    answer = TestClient(app, base_url="http://localhost").get("/monitoring")
    return answer.status_code, answer.text


def opening(path: Path) -> Decisions:
    return Decisions(open_store=lambda: DecisionStore.open(path))


def test_days_alarms_and_distributions(tmp_path: Path) -> None:
    store, path = DecisionStore.open(tmp_path / "x.db"), tmp_path / "x.db"
    for day, change in ((29, 0), (30, 3)):
        name = f"2026-11-{day}"
        store.append(traffic(name, 60, day, site="<i>gate</i>", change=[0, 0, change, 0, 0, 0, 0, 0]))
        watch_day(store, watched(), date(2026, 11, day), MonitoringSettings(rate=0.02))
    store.close()
    status, text = page(opening(path))
    assert status == 200
    assert text.index("2026-11-30") < text.index("2026-11-29")
    assert '<td><strong class="no">alarm</strong></td><td>60</td><td>0</td>' in text
    assert "<td>ok</td><td>60</td><td>0</td>" in text
    assert "sharpness from " in text
    assert "<polyline" in text
    assert "<i>gate" not in text


def test_without_days_and_without_a_log(tmp_path: Path) -> None:
    assert "No day was checked yet" in page(opening(tmp_path / "x.db"))[1]
    assert "logs no decisions" in page(None)[1]


def test_a_log_that_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, text = page(opening(tmp_path / "file" / "x.db"))
    assert (status, "cannot be read" in text, str(tmp_path) in text) == (503, True, False)

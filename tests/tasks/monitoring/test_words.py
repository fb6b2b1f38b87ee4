"""A report in a line, as text, as Markdown and as a page."""

from datetime import date
from typing import Any

import pytest

from tasks.monitoring.day import watch_day
from tasks.monitoring.settings import MonitoringSettings
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.words import headline, html, markdown, text
from tests.tasks.monitoring.simulation import traffic, watched


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    store = DecisionStore.open(tmp_path_factory.mktemp("log") / "x.db")
    store.append(traffic("2026-11-30", 80, 1, site="<b>gate</b>", change=[0, 2, 0, 0, 0, 0, 0, 0]))
    found = watch_day(store, watched(), date(2026, 11, 30), MonitoringSettings(rate=0.1))
    store.close()
    return found


def test_one_line(report: dict[str, Any]) -> None:
    line = headline(report)
    assert line.startswith("2026-11-30: ")
    assert "alarms, first <b>gate</b>: side from " in line
    assert line.endswith("; 80 rows, 0 lost, models:/facenet/3")
    assert "no rows in the log" in headline({**report, "alarms": [], "status": "no rows"})


def test_text_lists_what_could_not_be_tested(report: dict[str, Any]) -> None:
    found = text(report)
    assert found.count("  alarm: ") == len(report["alarms"])
    assert "    no reference: latency, no match, identify, rejected, score, identify\n" in found


def test_markdown_and_page_have_every_check(report: dict[str, Any]) -> None:
    page, marked = html(report), markdown(report)
    checks = len(report["sites"]["<b>gate</b>"]["checks"])
    assert page.count("<tr>") == checks + 1
    assert marked.count("\n| ") == checks + 2
    assert "data:image/svg+xml;base64," in marked
    assert "<b>gate" not in page
    assert "src=" not in page

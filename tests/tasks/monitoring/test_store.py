"""The log in both databases."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from faults.cluster import cluster
from tasks.monitoring.store import DecisionStore
from tests.programs import program
from tests.tasks.monitoring.log import moment, row


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DecisionStore]:
    if request.param == "sqlite":
        opened = DecisionStore.open(tmp_path / "decisions.db")
        yield opened
        opened.close()
        return
    program(("initdb",), package="postgresql", folders=sorted(Path("/usr/lib/postgresql").glob("*/bin")))
    with cluster() as running:
        opened = DecisionStore.open(running.url)
        yield opened
        opened.close()
        engine = create_engine(running.url.replace("postgresql", "postgresql+psycopg2", 1))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM monitoring_info")).scalar() == 1
        engine.dispose()


def test_rows_days_drops_and_retention(store: DecisionStore) -> None:
    times = (
        "2026-11-29T23:59:59.999",
        "2026-11-30T00:00:00.000",
        "2026-11-30T23:59:59.999",
        "2026-12-01T00:00:00.000",
    )
    rows = [row(f"{time}+00:00", score=float(number)) for number, time in enumerate(times)]
    store.append(rows)
    store.append([])
    found = store.read(date(2026, 11, 30), date(2026, 11, 30))
    assert found["score"] == [1.0, 2.0]
    assert found["main"] == [True, True]
    assert (found["side"], found["other_side"]) == ([90.0, 90.0], [None, None])
    assert store.read(date(2026, 11, 1), date(2026, 12, 24))["score"] == [0.0, 1.0, 2.0, 3.0]
    assert store.read(date(2026, 11, 1), date(2026, 12, 24), limit=2)["score"] == [2.0, 3.0]  # the newest
    assert store.read(date(2025, 1, 1), date(2025, 1, 2))["score"] == []

    store.append_dropped(3, moment(30))
    store.append_dropped(4, moment(30))
    store.append_dropped(9, moment(29))
    assert [store.count_dropped(date(2026, 11, day)) for day in (28, 29, 30)] == [0, 9, 7]

    for day in (29, 30):
        store.put_report(date(2026, 11, day), {"day": day})
    store.put_report(date(2026, 11, 30), {"day": "again"})
    assert store.reports(5) == [{"day": "again"}, {"day": 29}]
    assert store.reports(1) == [{"day": "again"}]

    assert store.remove_before(date(2026, 11, 30)) == 1
    assert store.read(date(2026, 11, 1), date(2026, 12, 24))["score"] == [1.0, 2.0, 3.0]
    assert store.count_dropped(date(2026, 11, 29)) == 0
    assert store.reports(5) == [{"day": "again"}]

"""Rows of the log as arrays."""

import math
from datetime import date
from pathlib import Path

import pytest

from tasks.monitoring.rows import Measures
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.traffic import Traffic
from tests.tasks.monitoring.log import row


@pytest.fixture
def traffic(tmp_path: Path) -> Traffic:
    store = DecisionStore.open(tmp_path / "x.db")
    store.append(
        [
            row(site="a", threshold=0.4),
            row(site="a", threshold=0.5, decision="no match"),
            row(site="b", threshold=0.4, main=False, score=None, face=Measures()),
        ]
    )
    found = Traffic.of(store.read(date(2026, 11, 30), date(2026, 11, 30)))
    store.close()
    return found


def test_parts_and_counts(traffic: Traffic) -> None:
    assert len(traffic) == 3
    assert traffic.counts("site") == {"a": 2, "b": 1}
    assert len(traffic.only(site="a", main=True)) == 2
    assert traffic.share("no match", "rejected") == (1, 3)
    assert traffic.numbers("score").tolist() == [0.25, 0.25]
    assert math.isnan(traffic.table(["score", "side"])[2, 1])
    assert traffic.usual_threshold() == 0.4


def test_nothing(traffic: Traffic) -> None:
    nothing = traffic.only(site="c")
    assert (len(nothing), nothing.usual_threshold(), nothing.share("match")) == (0, None, (0, 0))
    assert nothing.table(["side"]).shape == (0, 1)

"""Rows of the decision log for tests."""

from datetime import UTC, datetime
from typing import Any

from tasks.monitoring.rows import DecisionRow, Measures

DIGEST = "a" * 64


def row(time: str = "2026-11-30T12:00:00.000+00:00", **fields: Any) -> DecisionRow:
    """Return a verification at a time; other fields by name."""
    values: dict[str, Any] = {
        "model": DIGEST,
        "version": "models:/facenet/3",
        "site": "default",
        "kind": "verify",
        "decision": "match",
        "score": 0.25,
        "probability": 0.9,
        "threshold": 0.4,
        "latency": 20.0,
        "face": Measures(side=90.0),
    }
    return DecisionRow(time=time, **{**values, **fields})


def moment(day: int, hour: int = 12) -> datetime:
    """Return a time in November 2026."""
    return datetime(2026, 11, day, hour, tzinfo=UTC)

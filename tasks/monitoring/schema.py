"""The tables of the decision log."""

import dataclasses

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.types import Float

from tasks.monitoring.rows import Measures

VERSION = 1
INFO = "monitoring_info"
metadata = MetaData()
_REAL = Float(53)
# Times and days sort by code point, whatever the locale of the server.
_TIME = Text().with_variant(TEXT(collation="C"), "postgresql")
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows of type INTEGER only
MEASURES = tuple(field.name for field in dataclasses.fields(Measures))

# One row: the version of the tables.
info = Table(INFO, metadata, Column("version", Integer, primary_key=True, autoincrement=False))

# See DecisionRow. time: ISO 8601 in UTC, so that the order of the texts is that of the times.
decisions = Table(
    "monitoring_decisions",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("time", _TIME, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("model", "version", "site", "kind", "decision")),
    *(Column(name, _REAL) for name in ("score", "probability", "threshold", "latency")),
    Column("main", Boolean, nullable=False),
    *(Column(name, _REAL) for name in MEASURES),
    *(Column(f"other_{name}", _REAL) for name in MEASURES),
    Index("monitoring_decisions_time", "time"),
)

# Rows that a server could not write, counted.
dropped = Table(
    "monitoring_dropped",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("time", _TIME, nullable=False),
    Column("count", Integer, nullable=False),
)

# The report of each day that was checked, as JSON; the last one of a day.
days = Table(
    "monitoring_days",
    metadata,
    Column("day", _TIME, primary_key=True),
    Column("report", Text, nullable=False),
)

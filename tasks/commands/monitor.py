"""`python -m tasks.commands.monitor`: compare a day of the decision log with what is usual."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from facenet.atomic import write_text
from facenet.errors import ParamsInvalid
from tasks import paths
from tasks.entry import stage_main
from tasks.monitoring.arguments import YESTERDAY, add_arguments
from tasks.monitoring.day import watch_day
from tasks.monitoring.location import retention_days
from tasks.monitoring.settings import MonitoringSettings
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.watched import WatchedModel
from tasks.monitoring.words import headline, html
from tasks.reports import write_report

REPORT = paths.REPORTS / "monitoring.json"


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare the day that the command line names, and print the result in one line."""
    options = parse(arguments)
    report = monitor(options.day, options.model, settings_of(options), log=options.log)
    sys.stdout.write(f"{headline(report)}\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `day`, `model`, `log` and the settings."""
    parser = argparse.ArgumentParser(prog="python -m tasks.commands.monitor", description=__doc__)
    add_arguments(parser)
    return parser.parse_args(arguments)


def settings_of(options: argparse.Namespace) -> MonitoringSettings:
    """Return the settings that the command line names."""
    return MonitoringSettings(
        rate=options.false_alarms,
        least_rows=options.least_rows,
        history=options.history,
        against=options.against,
        no_match=options.no_match,
    )


def monitor(
    day: str, model: str | None, settings: MonitoringSettings, *, log: str | None = None
) -> dict[str, Any]:
    """Compare a day, remove old rows, write reports/monitoring.json and .html, and return the report.

    Raises:
        ParamsInvalid: the day or the place of the log is not valid.
        SourceInvalid: there is no such model.
        WeightsInvalid: a file of the model is missing or invalid.
        StorageFailed: the log cannot be used.
    """
    chosen, keep = day_of(day), retention_days()
    watched = WatchedModel.load(model)
    store = DecisionStore.open(log)
    try:
        report = watch_day(store, watched, chosen, settings)
        store.remove_before(datetime.now(UTC).date() - timedelta(days=keep))
    finally:
        store.close()
    write_report(REPORT, report)
    write_text(REPORT.with_suffix(".html"), html(report))
    return report


def day_of(name: str) -> date:
    """Return the day in UTC that is meant.

    Raises:
        ParamsInvalid: it is neither today, yesterday nor a date.
    """
    today = datetime.now(UTC).date()
    if name in ("today", YESTERDAY):
        return today - timedelta(days=name == YESTERDAY)
    try:
        return date.fromisoformat(name)
    except ValueError as error:
        raise ParamsInvalid(
            f"{name!r} is not a day: expected one as 2026-11-30, today or yesterday."
        ) from error


if __name__ == "__main__":
    stage_main(main)

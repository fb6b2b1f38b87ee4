"""`facenet monitor`: whether the decisions of a day look like the evaluation and like the days before."""

from __future__ import annotations

import argparse

from commands.exit_codes import NO, OK
from commands.output import printable, show, show_json
from tasks.monitoring.arguments import add_arguments


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet monitor`."""
    parser.description = (
        "Compare a day of the decision log of `facenet serve` with what the evaluation of the model has "
        "measured, and with earlier days. Writes reports/monitoring.json and .html. Exit code 1: an alarm."
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the result; return 1 if there is an alarm, else 0.

    Raises:
        ParamsInvalid: an argument is not valid.
        SourceInvalid: there is no such model.
        StorageFailed: the log cannot be used.
    """
    from tasks.commands.monitor import monitor, settings_of  # imported late: it imports scipy
    from tasks.monitoring.words import text

    report = monitor(arguments.day, arguments.model, settings_of(arguments), log=arguments.log)
    if arguments.json:
        show_json(report)
    else:
        show("".join(f"{printable(line)}\n" for line in text(report).splitlines()))
    return NO if report["alarms"] else OK

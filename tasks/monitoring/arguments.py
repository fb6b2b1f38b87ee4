"""The options of monitoring, for both command lines. Imports nothing that takes time."""

import argparse

from tasks.monitoring.settings import MonitoringSettings

YESTERDAY = "yesterday"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    default, add = MonitoringSettings(), parser.add_argument
    add("--day", default=YESTERDAY, help="in UTC, as 2026-11-30, or today or yesterday (default: yesterday)")
    model = "the model that is meant to answer; as for `facenet serve` (default: the champion, else the "
    add("--model", metavar="MODEL", help=f"{model}workspace's model, else pretrained)")
    log = "path or URL of the decision log (default: FACENET_MONITORING, else monitoring/decisions.db)"
    add("--log", metavar="LOG", help=log)
    rate = "probability that a day without a change has any alarm (default: %(default)s)"
    add("--false-alarms", type=float, default=default.rate, metavar="RATE", help=rate)
    rows = "fewer are not tested (default: %(default)s)"
    add("--least-rows", type=int, default=default.least_rows, metavar="N", help=rows)
    history = "earlier days that shares, scores and latency are compared with (default: %(default)s)"
    add("--history", type=int, default=default.history, metavar="DAYS", help=history)
    against = (
        "compare faces with the evaluation of the model, or with earlier days (default: these if enough)"
    )
    add("--against", choices=("auto", "model", "site"), default=default.against, help=against)
    expected = "share of no match to expect, instead of that of earlier days"
    add("--no-match", type=float, metavar="SHARE", help=expected)

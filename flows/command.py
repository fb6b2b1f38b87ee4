"""The command lines of flows. This module does not import Prefect, which takes a second."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tasks.redaction import redact

COMMIT = "after a run, commit dvc.lock on this branch and push it to origin"
LOCAL = "run without the server in PREFECT_API_URL, with a temporary one"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the training flow.

    They are `command` (run or serve), `force`, `commit`, `local`, and for serve `cron`, `name`, `timezone`.
    Invalid arguments exit with 2, as usual for argparse.
    """
    parser = argparse.ArgumentParser(
        prog="python -m flows.training",
        description="Run the six stages now, or serve them on a schedule. A single run needs no server; "
        "set PREFECT_API_URL to see runs and their history in Prefect's UI.",
    )
    parser.add_argument("--local", action="store_true", help=LOCAL)
    parser.add_argument("--force", action="store_true", help="run every stage, even if nothing has changed")
    parser.add_argument("--commit", metavar="BRANCH", help=COMMIT)
    commands = parser.add_subparsers(dest="command", metavar="")
    serve = commands.add_parser("serve", help="keep running, on a schedule (requires a Prefect server)")
    serve.add_argument(
        "--cron", required=True, help='minute hour day month weekday: "0 2 * * *" is every night at 2:00'
    )
    serve.add_argument(
        "--timezone",
        type=_timezone,
        default="UTC",
        help="timezone of --cron, e.g. Europe/Paris (default: UTC)",
    )
    serve.add_argument("--name", default="scheduled", help="name of the deployment (default: %(default)s)")
    serve.add_argument(
        "--force", action="store_true", default=argparse.SUPPRESS, help="run every stage each time"
    )
    serve.add_argument("--commit", metavar="BRANCH", default=argparse.SUPPRESS, help=COMMIT)
    parser.set_defaults(command="run")
    return parser.parse_args(arguments)


def print_result(state: Any) -> None:
    """Print the message of a flow run's final state; exit with 1 if the run did not complete."""
    if not state.is_completed():
        sys.stderr.write(redact(f"{state.message}\n"))
        sys.exit(1)
    sys.stdout.write(f"{state.message}\n")


def _timezone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"unknown timezone {name!r}, try Europe/Paris") from error

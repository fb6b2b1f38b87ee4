"""The command line of the training flow, without Prefect, whose import takes a second."""

import argparse
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `command` (run or serve), `force`, and for serve `cron`, `name` and `timezone`.

    Nonsense exits with 2, as argparse does.
    """
    parser = argparse.ArgumentParser(
        prog="python -m flows.training",
        description="Run the six stages now, or serve them on a schedule. Works with no server, too: "
        "set PREFECT_API_URL to keep history and see the runs in Prefect's UI.",
    )
    parser.add_argument("--force", action="store_true", help="run every stage, also where nothing changed")
    commands = parser.add_subparsers(dest="command", metavar="")
    serve = commands.add_parser("serve", help="stay, and run on a schedule (needs a Prefect server)")
    serve.add_argument(
        "--cron", required=True, help='minute hour day month weekday: "0 2 * * *" is every night at two'
    )
    serve.add_argument(
        "--timezone", type=_timezone, default="UTC", help="of --cron, such as Europe/Paris (default: UTC)"
    )
    serve.add_argument("--name", default="scheduled", help="of the deployment (default: %(default)s)")
    serve.add_argument(
        "--force", action="store_true", default=argparse.SUPPRESS, help="run every stage each time"
    )
    parser.set_defaults(command="run")
    return parser.parse_args(arguments)


def _timezone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"there is no timezone {name!r}, try Europe/Paris") from error

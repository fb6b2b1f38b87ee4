"""Command lines: how a stage is started, and the `facenet` command."""

import argparse
import sys
from collections.abc import Callable

from facenet.errors import FaceNetError


def stage_main(main: Callable[[], None]) -> None:
    """Run `main`; print a FaceNetError as one message without a traceback and exit with 1."""
    try:
        main()
    except FaceNetError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(1)


def main() -> None:
    """Run the `facenet` command with the arguments of this process."""
    parser = argparse.ArgumentParser(prog="facenet", description="Faces in, an evaluated model out.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("results", help="print the figures of the last run").set_defaults(run=_results)
    arguments = parser.parse_args()
    stage_main(lambda: arguments.run(arguments))


def _results(_: argparse.Namespace) -> None:
    from tasks.results import results_table  # reads reports only when it is asked for

    sys.stdout.write(f"\n{results_table()}\n")


if __name__ == "__main__":
    main()

"""The `facenet` command."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from tasks.commands.numbers import number_between
from tasks.entry import stage_main


def main() -> None:
    """Run the `facenet` command with the arguments of this process."""
    stage_main(_main)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="facenet", description="Faces in, an evaluated model out.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("results", help="print the metrics of the last run").set_defaults(run=_results)
    _add_detect(commands.add_parser("detect", help="detect the faces in photos"))
    _add_summary(commands.add_parser("summary", help="print the layers of a network"))
    again = "train a registered version again, and compare the weights bit for bit"
    commands.add_parser("reproduce", help=again, add_help=False)
    if sys.argv[1:2] == ["reproduce"]:
        _reproduce(sys.argv[2:])
    arguments = parser.parse_args()
    arguments.run(arguments)


def _reproduce(arguments: list[str]) -> NoReturn:
    """Become the process of flows/reproduce.py: it calls DVC, and this layer may not import flows."""
    os.execv(sys.executable, [sys.executable, "-m", "flows.reproduce", *arguments])  # noqa: S606  # no shell


def _results(_: argparse.Namespace) -> None:
    from tasks.commands.results import results_table  # imported late: other commands do not need it

    sys.stdout.write(f"\n{results_table()}\n")


def _add_detect(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Detect the faces in photos and print a line per photo. Exit code 1: a photo could not be read."
    )
    add = parser.add_argument
    photos = "a file, a folder to search recursively for photos, or - to read a photo from standard input"
    add("photos", nargs="+", metavar="PHOTO", help=photos)
    out = "write copies of the photos with the faces drawn in to this folder"
    add("--out", type=Path, metavar="DIR", help=out)
    add("--json", action="store_true", help="print a JSON list of {path, faces} or {path, error}")
    side = number_between(12, None)
    add("--min-face", type=side, metavar="PIXELS", help="shortest side of a face (default: 20)")
    thresholds = "minimum probability for each of the three networks (default: 0.6 0.7 0.7)"
    add("--thresholds", type=number_between(0, 1), nargs=3, metavar="P", help=thresholds)
    factor = number_between(0, 1, exclusive=True)
    add("--factor", type=factor, metavar="F", help="ratio between pyramid scales (default: 0.709)")
    reduced = "detect on a reduced copy of larger photos (default: 4096)"
    add("--max-side", type=number_between(12, None, whole=True), metavar="PIXELS", help=reduced)
    add("--device", default="auto", help="auto, cpu, mps or cuda (default: auto)")
    parser.set_defaults(run=_detect)


def _detect(arguments: argparse.Namespace) -> None:
    from tasks.commands.detect import run  # imported late: torch takes seconds, and --help does not need it

    run(arguments)


def _add_summary(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print a network's layers: output shapes, parameters and multiply-adds for one image. Without NAME, "
        "list the networks and their variants."
    )
    add = parser.add_argument
    add("network", nargs="?", metavar="NAME", help="as in train.network")
    add("--embedding-size", type=int, metavar="N", help="width of the output (default: the published one)")
    add("--image-size", type=int, metavar="PIXELS", help="side of the image (default: the published one)")
    add("--variant", help="variant of the network, as in train.variant (default: the first)")
    add("--depth", type=int, default=1, metavar="D", help="levels of nesting to show (default: 1)")
    parser.set_defaults(run=_summary)


def _summary(arguments: argparse.Namespace) -> None:
    from tasks.commands.summary import run  # imported late: torch takes seconds, and --help does not need it

    run(arguments)


if __name__ == "__main__":
    main()

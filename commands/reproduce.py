"""`facenet reproduce`: train a registered version again, and compare the weights bit for bit."""

import argparse
import sys

from commands.exit_codes import NO, OK
from commands.output import complain, show, show_json


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet reproduce`."""
    parser.description = (
        "Train a registered version again from its commit and its data, and compare the weights bit for bit. "
        "Exit code 1: they are different."
    )
    parser.add_argument("uri", metavar="MODEL", help="models:/NAME@ALIAS or models:/NAME/VERSION")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print {model, reproduced, message}; the log goes to standard error",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train the version again and print whether its weights are equal.

    Raises:
        NotReproducible: commit, data or dvc.lock of the version is missing, or training failed.
        SourceInvalid: the registry has no such version.
        TrackingFailed: the server cannot be reached or rejected a request.
    """
    from flows.reproduce import NotReproduced, reproduce  # imported late: `--help` does not need it

    try:
        message, equal = reproduce(arguments.uri, _log if arguments.json else _line), True
    except NotReproduced as error:
        message, equal = str(error), False
    if arguments.json:
        show_json({"model": arguments.uri, "reproduced": equal, "message": message})
    elif equal:
        _line(message)
    else:
        complain(message)
    return OK if equal else NO


def _line(text: str) -> None:
    show(f"{text}\n")


def _log(text: str) -> None:
    sys.stderr.write(f"{text}\n")

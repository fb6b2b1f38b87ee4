"""`facenet review`: the page on which suspects of the label audit are decided."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path

from commands.exit_codes import OK
from commands.numbers import number_between
from commands.output import complain
from commands.path_arguments import FILES, completed
from tasks.paths import DECISIONS, REPORTS

AUDIT = REPORTS / "label_audit.parquet"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet review`."""
    parser.description = (
        "Serve a page on this machine that shows the suspects of `facenet audit` as rows of faces, to keep, "
        "drop, move, split and merge by mouse or keyboard. It writes only the file of decisions, which "
        "several reviewers can share; `dvc repro` applies it. Run it in a workspace."
    )
    add = parser.add_argument
    port = number_between(0, 65535, whole=True)
    add("--port", type=port, default=8010, help="0 for a free one (default: 8010)")
    completed(
        add("--audit", metavar="FILE", default=str(AUDIT), help=f"of the audit (default: {AUDIT})"), FILES
    )
    decisions = f"that decisions are written to (default: {DECISIONS})"
    completed(add("--decisions", metavar="FILE", default=str(DECISIONS), help=decisions), FILES)
    add("--reviewer", metavar="NAME", help="recorded with each decision (default: the user of this system)")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    Raises:
        DataInvalid: the audit, the data or the decisions are missing or damaged.
        ParamsInvalid: the reviewer's name is empty, or the port cannot be used.
    """
    from facenet.errors import ParamsInvalid
    from service.api.server import listen  # imported late: `--help` does not need them
    from service.api.server import run as serve
    from service.api.settings import Settings
    from service.review.app import create_app
    from service.review.reviewing import Review

    who = (arguments.reviewer if arguments.reviewer is not None else getpass.getuser()).strip()
    if not who or not who.isprintable():
        raise ParamsInvalid("The name of the reviewer is empty or has control characters. Choose --reviewer.")
    settings = Settings(port=arguments.port)
    review = Review(Path(), audit=Path(arguments.audit), decisions=Path(arguments.decisions), who=who)
    left = review.state().progress[0]
    with listen(settings) as listener:
        port = listener.getsockname()[1]
        complain(
            f"{left.remaining} of {left.suspects} suspects to review as {who} on http://127.0.0.1:{port}. "
            "Ctrl-C ends it."
        )
        serve(create_app(review, settings), settings, listener)
    return OK

"""The promotion flow: the challenger becomes champion if it is better, or the former champion is restored.

See `python -m flows.promotion --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed

from facenet.errors import FaceNetError
from flows.local_api import local_api
from tasks.entry import stage_main
from tasks.params import load_params


@flow(name="promotion", persist_result=False)
def promotion(
    action: Literal["promote", "rollback"] = "promote", force: bool = False, version: int | None = None
) -> Any:
    """Decide which version is champion, move the aliases and write reports/promotion.json.

    Args:
        action: promote compares the challenger with the champion; rollback restores the former champion.
        force: Promote without a comparison.
        version: The challenger; by default the version that this workspace registered, or else the alias.
    """
    from tasks.promotion import aliases, record  # imports pandas and scipy, which takes a second

    try:
        params = load_params().register
        record.check_writable()
        if action == "rollback":
            result = aliases.roll_back(params.model)
        else:
            result = aliases.promote(params, force=force, number=version)
        record.record(result, at=datetime.now(UTC).isoformat(timespec="seconds"))
        table = aliases.standing(params.model, params.promotion.metric)
    except FaceNetError as error:
        return Failed(message=str(error))
    page = f"# {result.model}: {result.action}\n\n{result.reason}\n\n```\n{table}\n```\n"
    create_markdown_artifact(page, key="promotion", description=result.reason)
    return Failed(message=result.reason) if result.refused else Completed(message=result.reason)


def show() -> None:
    """Print the version of each alias."""
    from tasks.promotion import aliases

    params = load_params().register
    sys.stdout.write(aliases.standing(params.model, params.promotion.metric) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a refusal prints its reason and exits with 1."""
    options = parse(arguments)
    stage_main(show if options.command == "show" else lambda: _decide(options))


def _decide(options: argparse.Namespace) -> None:
    with local_api():
        state: Any = promotion(
            options.command, force=options.force, version=options.version, return_state=True
        )
    if not state.is_completed():
        sys.stderr.write(f"{state.message}\n")
        sys.exit(1)
    sys.stdout.write(f"{state.message}\n")
    show()


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `command` (promote, rollback or show), `force` and `version`."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.promotion", description="Decide which registered model has the alias champion."
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="promote",
        choices=["promote", "rollback", "show"],
        help="promote the challenger if better (default), restore the former champion, or show the aliases",
    )
    parser.add_argument("--force", action="store_true", help="promote without a comparison")
    parser.add_argument(
        "--version",
        type=int,
        help="version to promote (default: the one registered by this workspace, or else the challenger)",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

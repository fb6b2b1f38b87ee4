"""The promotion flow: the challenger becomes champion if it is better, or the former champion comes back.

`python -m flows.promotion --help` says how. No future import of annotations here: Prefect evaluates those of
a served flow where their names are unknown.
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
def promotion(action: Literal["promote", "rollback"] = "promote", force: bool = False) -> Any:
    """Decide who is champion, move the aliases and write reports/promotion.json.

    Args:
        action: promote compares the challenger with the champion; rollback restores the former champion.
        force: Promote without a comparison.
    """
    from tasks import promotion as registry  # with MLflow's client, whose import takes a second

    try:
        params = load_params().register
        if action == "rollback":
            result = registry.roll_back(params.model)
        else:
            result = registry.promote(params, force=force)
        table = registry.standing(params.model, params.promotion.metric)
    except FaceNetError as error:
        return Failed(message=str(error))
    registry.record(result, at=datetime.now(UTC).isoformat(timespec="seconds"))
    page = f"# {result.model}: {result.action}\n\n{result.reason}\n\n```\n{table}\n```\n"
    create_markdown_artifact(page, key="promotion", description=result.reason)
    return Failed(message=result.reason) if result.refused else Completed(message=result.reason)


def show() -> None:
    """Print who holds which alias."""
    from tasks.promotion import decision as registry

    params = load_params().register
    sys.stdout.write(registry.standing(params.model, params.promotion.metric) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for; a refusal exits with 1 and its reason."""
    asked = parse(arguments)
    if asked.command == "show":
        stage_main(show)
        return
    with local_api():
        state: Any = promotion(asked.command, force=asked.force, return_state=True)
    if not state.is_completed():
        sys.stderr.write(f"{state.message}\n")
        sys.exit(1)
    sys.stdout.write(f"{state.message}\n")
    stage_main(show)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `command` (promote, rollback or show) and `force`."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.promotion", description="Decide which registered model has the alias champion."
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="promote",
        choices=["promote", "rollback", "show"],
        help="promote the challenger if it holds (default), restore the former champion, show who is who",
    )
    parser.add_argument("--force", action="store_true", help="promote without a comparison")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

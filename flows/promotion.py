"""The promotion flow: the challenger becomes champion if it is better, or the former champion is restored.

See `python -m flows.promotion --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from facenet.errors import FaceNetError
from flows.artifacts import publish_page
from flows.command import LOCAL
from flows.local_api import local_api
from flows.supervision import supervise
from flows.training import Hours
from flows.watch import Watch
from tasks.entry import stage_main
from tasks.params import load_params

Action = Literal["promote", "rollback"]
# Names of the final states, by the action that was taken.
STATES = {"promoted": "Promoted", "unchanged": "Unchanged", "rolled_back": "RolledBack"}


def _run_name() -> str:
    action = flow_run.get_parameters().get("action", "promote")
    return f"{action} {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="promotion", flow_run_name=_run_name, persist_result=False)
def promotion(
    action: Action = "promote", force: bool = False, version: int | None = None, timeout_hours: Hours = 1.0
) -> Any:
    """Decide which version is champion, move the aliases and write reports/promotion.json.

    A promotion waits until no other run works in the workspace. A rollback does not: it answers a bad model
    in service, which must not wait for a night of training, and reads nothing that a training writes.

    Args:
        action: promote compares the challenger with the champion; rollback restores the former champion.
        force: Promote without a comparison.
        version: The challenger; by default the version that this workspace registered, or else the alias.
        timeout_hours: End the run after this time.
    """

    def work(watch: Watch) -> Any:  # noqa: ARG001  # it takes seconds
        try:
            return _decide(action, force=force, version=version)
        except FaceNetError as error:
            return Failed(message=str(error))

    return supervise(work, timeout_hours=timeout_hours, workspace=action == "promote")


def _decide(action: Action, *, force: bool, version: int | None) -> Any:
    from tasks.promotion import aliases, record  # imports pandas and scipy, which takes a second

    params = load_params().register
    record.check_writable()
    if action == "rollback":
        result = aliases.roll_back(params.model)
    else:
        result = aliases.promote(params, force=force, number=version)
    record.record(result, at=datetime.now(UTC).isoformat(timespec="seconds"))
    table = aliases.standing(params.model, params.promotion.metric)
    page = f"# {result.model}: {result.action}\n\n{result.reason}\n\n```\n{table}\n```\n"
    publish_page("promotion", page, result.reason, warn=get_run_logger().warning)
    if result.refused:
        return Failed(name="Refused", message=result.reason)
    return Completed(name=STATES[result.action], message=result.reason)


def show() -> None:
    """Print the version of each alias."""
    from tasks.promotion import aliases

    params = load_params().register
    sys.stdout.write(aliases.standing(params.model, params.promotion.metric) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a refusal prints its reason and exits with 1."""
    options = parse(arguments)
    stage_main(show if options.command == "show" else lambda: _decide_now(options))


def _decide_now(options: argparse.Namespace) -> None:
    with local_api(local=options.local):
        state: Any = promotion(
            options.command, force=options.force, version=options.version, return_state=True
        )
    if not state.is_completed():
        sys.stderr.write(f"{state.message}\n")
        sys.exit(1)
    sys.stdout.write(f"{state.message}\n")
    show()


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `command` (promote, rollback or show), `force`, `version` and `local`."""
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
    parser.add_argument("--local", action="store_true", help=LOCAL)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

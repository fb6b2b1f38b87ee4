"""The promotion flow: the challenger becomes champion if it is better, or the former champion is restored.

See `python -m flows.promotion --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from facenet.errors import FaceNetError
from flows.approval import Approval, ask
from flows.artifacts import publish_page
from flows.command import LOCAL, print_result
from flows.local_api import local_api
from flows.serving import NotServed, serve_champion
from flows.supervision import supervise
from flows.training import Hours
from flows.watch import Watch
from tasks.entry import stage_main
from tasks.params import load_params

if TYPE_CHECKING:
    from tasks.promotion.record import PromotionResult

Action = Literal["promote", "rollback"]
# Names of the final states, by the action that was taken.
STATES = {"promoted": "Promoted", "unchanged": "Unchanged", "rolled_back": "RolledBack"}


def _run_name() -> str:
    action = flow_run.get_parameters().get("action", "promote")
    return f"{action} {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="promotion", flow_run_name=_run_name, persist_result=False)
def promotion(
    action: Action = "promote",
    force: bool = False,
    version: int | None = None,
    approved: bool = False,
    timeout_hours: Hours = 1.0,
) -> Any:
    """Decide which version is champion, move the aliases and write reports/promotion.json.

    A promotion waits until no other run works in the workspace. A rollback does not: it answers a bad model
    in service, which must not wait for a night of training, and reads nothing that a training writes.

    Args:
        action: promote compares the challenger with the champion; rollback restores the former champion.
        force: Promote without a comparison.
        version: The challenger; by default the version that this workspace registered, or else the alias.
        approved: Do not ask for the approval that register.promotion.approval requires.
        timeout_hours: End the run after this time, not counting the time that a person takes to approve.
    """
    try:
        approval = _approval(force, version) if action == "promote" and not approved else None
    except FaceNetError as error:
        return Failed(message=str(error))

    def work(watch: Watch) -> Any:  # noqa: ARG001  # it takes seconds
        try:
            return _decide(action, force=force, version=version, approval=approval)
        except FaceNetError as error:
            return Failed(message=str(error))

    return supervise(work, timeout_hours=timeout_hours, workspace=action == "promote")


def _approval(force: bool, version: int | None) -> "tuple[Approval, PromotionResult] | None":
    """Return a person's answer and what it is about; None if none is required, or the rule refuses."""
    from tasks.promotion import aliases

    params = load_params().register
    if not params.promotion.approval:
        return None
    planned = aliases.promote(params, force=force, number=version, preview=True)
    if planned.action != "promoted":
        return None
    return ask(f"**{planned.model} version {planned.challenger}**\n\n{planned.reason}"), planned


def _decide(
    action: Action, *, force: bool, version: int | None, approval: "tuple[Approval, PromotionResult] | None"
) -> Any:
    from tasks.promotion import aliases, export, record  # imports pandas and scipy, which takes a second

    params = load_params().register
    record.check_writable()
    if action == "rollback":
        result = aliases.roll_back(params.model)
    elif approval is None:
        result = aliases.promote(params, force=force, number=version)
    elif approval[0].approved:
        result = aliases.promote(params, force=force, number=approval[1].challenger, by=approval[0].by)
    else:
        result = aliases.reject(approval[1], by=approval[0].by, why=approval[0].note)
    record.record(result)
    export.write_export(params.model)
    table = aliases.standing(params.model, params.promotion.metric)
    page = f"# {result.model}: {result.action}\n\n{result.reason}\n\n```\n{table}\n```\n"
    publish_page("promotion", page, result.reason, warn=get_run_logger().warning)
    if result.refused:
        return Failed(name="Refused", message=result.reason)
    try:
        served = serve_champion()
    except NotServed as error:
        return Failed(name="NotServed", message=f"{result.reason} But the champion is not served: {error}")
    return Completed(name=STATES[result.action], message=f"{result.reason} {served}".rstrip())


def show(_: argparse.Namespace | None = None) -> None:
    """Print the version of each alias."""
    from tasks.promotion import aliases

    params = load_params().register
    sys.stdout.write(aliases.standing(params.model, params.promotion.metric) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a refusal prints its reason and exits with 1."""
    options = parse(arguments)
    commands = {"show": show, "history": history, "export": _export, "restore": _restore}
    chosen = commands.get(options.command, _decide_now)
    stage_main(lambda: chosen(options))


def history(_: argparse.Namespace) -> None:
    """Print who promoted what, when and why."""
    from tasks.promotion import ledger

    sys.stdout.write(ledger.table(load_params().register.model) + "\n")


def _export(options: argparse.Namespace) -> None:
    from tasks.promotion import export

    export.write_export(load_params().register.model, options.file or export.FILE)
    sys.stdout.write(f"Wrote {options.file or export.FILE}.\n")


def _restore(options: argparse.Namespace) -> None:
    """Restore an export; exit with 1 if a version is missing."""
    from tasks.promotion import export

    missing = export.restore(export.read_export(options.file or export.FILE))
    sys.stderr.write("".join(f"{line}\n" for line in missing))
    show()
    sys.exit(bool(missing))


def _decide_now(options: argparse.Namespace) -> None:
    with local_api(local=options.local):
        state: Any = promotion(
            options.command,
            force=options.force,
            version=options.version,
            approved=options.approve,
            return_state=True,
        )
    print_result(state)
    show()


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `command`, `file`, `force`, `version`, `approve` and `local`."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.promotion", description="Decide which registered model has the alias champion."
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="promote",
        choices=["promote", "rollback", "show", "history", "export", "restore"],
        help="promote the challenger if better (default), restore the former champion, show the aliases or "
        "the history of promotions, or export and restore both, for a new MLflow server",
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="of export and restore (default: reports/promotions-export.json, which each promotion writes)",
    )
    parser.add_argument(
        "--approve", action="store_true", help="approve here what register.promotion.approval asks for"
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

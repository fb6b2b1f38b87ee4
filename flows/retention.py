"""Remove old history: flow runs in Prefect, runs in MLflow, and what no commit names in DVC's cache.

Without --apply it only shows what it would remove. What belongs to a registered version stays: its MLflow
run and, if it has an alias, the data that it was trained on.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows import process
from flows.commit_copy import NotReproducible, commit_copy
from flows.dvc_command import dvc_command, dvc_environment
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.tracking import Run
from tasks.tracking.provenance import FOLDER, LOCK
from tasks.tracking.registry import aliased_version, aliases
from tasks.tracking.retention import old_runs, remove_runs

DAYS = 90
PAGE = 200
GC = ("gc", "--workspace", "--all-branches", "--all-tags")
Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one message and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.retention", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument("--days", type=int, default=DAYS, help="age of what may go (default: %(default)s)")
    parser.add_argument("--apply", action="store_true", help="remove it; by default it is only shown")
    options = parser.parse_args(arguments)
    stage_main(lambda: prune(options.days, apply=options.apply, say=_print))


def prune(days: int, *, apply: bool, say: Say) -> None:
    """Show what is older than that many days in Prefect and MLflow, and unused in DVC; `apply` removes it.

    Raises:
        TrackingFailed: MLflow cannot be reached.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    prune_prefect(before, apply=apply, say=say)
    prune_mlflow(before, apply=apply, say=say)
    prune_cache(apply=apply, say=say)
    if not apply:
        say("Nothing was removed. Add --apply to remove it.")


def prune_prefect(before: datetime, *, apply: bool, say: Say) -> None:
    """Remove flow runs that ended before that time, with their task runs."""
    from prefect.client.orchestration import get_client

    from flows.local_api import local_api  # imported late: Prefect takes a second

    with local_api(), get_client(sync_client=True) as client:
        found = list(_flow_runs(client, before))
        for run in found if apply else ():
            client.delete_flow_run(run.id)
    names = _names(run.name for run in found)
    say(f"Prefect: {len(found)} flow runs that ended before {before:%Y-%m-%d}{names}")


def prune_mlflow(before: datetime, *, apply: bool, say: Say) -> None:
    """Remove runs that ended before that time, except those of registered versions."""
    runs = old_runs(before)
    say(f"MLflow: {len(runs)} runs that ended before {before:%Y-%m-%d}{_names(run.name for run in runs)}")
    if apply and runs and not remove_runs(runs):
        say(
            "MLflow: they are marked as deleted. `mlflow gc` on the server's machine removes their artifacts."
        )


def prune_cache(*, apply: bool, say: Say) -> None:
    """Remove from DVC's cache what no workspace, branch, tag, or version with an alias uses."""
    try:
        with _versions_in_use() as projects:
            words = [*GC, *(["--projects", *map(str, projects)] if projects else [])]
            words += ["--force"] if apply else ["--dry"]
            code = process.run(dvc_command(*words), _without_hints(say), env=dvc_environment())
    except NotReproducible as error:
        say(f"DVC: the cache is left alone, since it may have the data of a version in use: {error}")
        return
    if code:
        say("DVC: `dvc gc` failed, see the lines above.")


def _without_hints(say: Say) -> Say:
    """Leave out a line of DVC for each output of each commit that has no dvc.lock."""
    return lambda line: None if "is missing version info" in line else say(line)


@contextmanager
def _versions_in_use() -> Iterator[list[Path]]:
    """Yield projects whose dvc.lock names the data of the versions with an alias."""
    model = load_params().register.model
    with ExitStack() as stack:
        projects = []
        for alias in aliases(model):
            version = aliased_version(model, alias)
            lock = Run(version.run_id).read_file(f"{FOLDER}/{LOCK}") if version else None
            if version and lock:
                projects.append(stack.enter_context(commit_copy(version.tags.get("commit", ""), {}, lock)))
        yield projects


def _flow_runs(client: Any, before: datetime) -> Iterator[Any]:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterEndTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import TERMINAL_STATES

    ended = FlowRunFilter(
        end_time=FlowRunFilterEndTime(before_=before),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=sorted(TERMINAL_STATES))),
    )
    offset = 0
    while page := client.read_flow_runs(flow_run_filter=ended, limit=PAGE, offset=offset):
        yield from page
        offset += len(page)


def _names(names: Any) -> str:
    listed = sorted(set(names))
    more = f", and {len(listed) - 3} other names" if len(listed) > 3 else ""
    return f": {', '.join(listed[:3])}{more}" if listed else ""


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

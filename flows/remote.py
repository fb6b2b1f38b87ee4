"""Exchange data with the team: `dvc pull` before a run, `dvc push` and a commit of dvc.lock after it.

Without a default remote (`dvc remote add --default`) nothing is exchanged. A failure never ends a run, since
everything can be computed again: it is the name of a task's state, a warning, and part of the run's summary.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from flows import process
from flows.dvc_command import dvc_command, dvc_environment
from flows.lock_branch import NotCommitted, commit_lock, push_branch
from flows.workspace import nothing

ATTEMPTS = 3
PAUSE_SECONDS = 20.0
LAST_LINES = 20
PULL = ("pull", "--run-cache", "--allow-missing")  # what the remote lacks is computed
PUSH = ("push", "--run-cache")


def pull(check: Callable[[], None] = nothing) -> None:
    """Fetch data and run cache from the default remote, if there is one, as the Prefect task `pull`.

    check: called every second; an exception from it ends the transfer.
    """
    if default_remote():
        _as_task(_exchange, "pull", PULL, check)


def push(commit: str | None, summary: str, check: Callable[[], None] = nothing) -> str:
    """Push to the default remote, if there is one; then commit dvc.lock on the branch `commit`, if given.

    Nothing is committed after a failed push: the commit would name data that nobody else can get.

    Returns:
        `summary`, followed by what went wrong.
    """
    problem = ""
    if default_remote():
        problem = _as_task(_exchange, "push", PUSH, check)
    if commit and problem:
        problem += f" dvc.lock was not committed on {commit}."
    elif commit:
        problem = _as_task(_commit, "commit", commit, summary)
    return f"{summary}. {problem}" if problem else summary


def default_remote() -> str | None:
    """Return the name of the remote that `dvc push` uses, None if there is none."""
    from dvc.config import Config  # not Repo: that takes three times as long to import

    name: str | None = Config(dvc_dir=".dvc")["core"].get("remote")
    return name


def exchange(words: tuple[str, ...], log: Callable[[str], None], check: Callable[[], None] = nothing) -> str:
    """Run a DVC command on the default remote, up to three times if it fails.

    Returns:
        The problem if the last attempt failed as well, otherwise "".
    """
    for attempt in range(1, ATTEMPTS + 1):
        code, last = _dvc(words, log, check)
        if code == 0:
            return ""
        log(f"WARNING: dvc {words[0]} failed, attempt {attempt} of {ATTEMPTS}")
        if attempt < ATTEMPTS:
            _pause(check)
    errors = [line.removeprefix("ERROR: ") for line in last if line.startswith("ERROR")]
    reason = (errors or last or [f"exit code {code}"])[-1].rstrip(".")
    return f"`dvc {' '.join(words)}` failed for the remote {default_remote()}: {reason}."


def _pause(check: Callable[[], None]) -> None:
    """Wait before the next attempt, unless the run is stopped."""
    end = time.monotonic() + PAUSE_SECONDS
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(left, 1.0))


def _as_task(kind: Any, name: str, *arguments: Any) -> str:
    state: Any = kind.with_options(name=name, task_run_name=name)(*arguments)
    problem: str = state.result()
    return problem


@task(cache_policy=NO_CACHE, persist_result=False)
def _exchange(words: tuple[str, ...], check: Callable[[], None]) -> Any:
    """Exchange as a task; its state is named after a failure, so that the list of tasks shows it."""
    logger = get_run_logger()
    if problem := exchange(words, logger.info, check):
        logger.warning(problem)
        return Completed(name=f"{words[0].title()} failed", message=problem, data=problem)
    return Completed(message=f"dvc {words[0]}: remote {default_remote()}", data="")


@task(cache_policy=NO_CACHE, persist_result=False)
def _commit(branch: str, summary: str) -> Any:
    """Commit dvc.lock and push the branch; the result is the problem, "" after success."""
    try:
        made = commit_lock(branch, f"Update dvc.lock\n\n{summary}\n")
        where = " and pushed" if push_branch(branch) else ""
    except NotCommitted as error:
        problem = f"Not committed: {error}"
        get_run_logger().warning(problem)
        return Completed(name="Not committed", message=problem, data=problem)
    return Completed(message=f"dvc.lock is committed on {branch} as {made[:12]}{where}", data="")


def _dvc(
    words: tuple[str, ...], log: Callable[[str], None], check: Callable[[], None]
) -> tuple[int, list[str]]:
    """Run DVC in the workspace, and return its exit code and its last lines."""
    last = deque[str](maxlen=LAST_LINES)

    def follow(line: str) -> None:
        last.append(line)
        log(line)

    return process.run(dvc_command(*words), follow, env=dvc_environment(), check=check), list(last)

"""A DVC stage as a Prefect task: DVC decides whether it runs, Prefect shows it, cancelling ends it."""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import flow_run
from prefect.states import Completed

from facenet.errors import FaceNetError
from flows import artifacts, process
from flows.dvc_command import dvc_command, dvc_environment, steps_of
from flows.gpu import gpu_slot, needs_gpu
from flows.process import GRACE_SECONDS
from flows.watch import RunStopped
from flows.workspace import nothing
from tasks.params import load_params
from tasks.tracking import TrackingFailed

LAST_LINES = 40
NETWORK_STAGES = ("ingest", "register")
NETWORK_RETRIES = 3
LOCK_RETRIES = 40  # with the delay: twenty minutes for a `dvc repro` run by hand
RETRY_SECONDS = 30.0
REPO_LOCK = Path(".dvc/tmp/lock")  # DVC writes its pid into it

FRESH = "unchanged, skipped by DVC"
_LOCKED = re.compile(r"Unable to acquire lock|is busy, it is being blocked by")
_HOLDER = re.compile(r"\(PID (\d+)\): (.*)")
_UNCHANGED = {
    "didn't change, skipping": FRESH,
    "is cached - skipping run": "unchanged, outputs taken from DVC's cache",
}
_NETWORK = re.compile(
    r"Connection ?(Error|refused|reset|aborted)|ConnectTimeout|ReadTimeout|timed out|Max retries exceeded"
    r"|Temporary failure in name resolution|Name or service not known|Network is unreachable"
    r"|too many \d+ error responses|\b(429|50[0234])\b (Client|Server) Error"
)


class StageFailed(FaceNetError):
    """A stage failed; the message contains its last lines of output."""

    def __init__(self, stage: str, message: str, *, network: bool = False) -> None:
        super().__init__(message)
        self.stage, self.network = stage, network


class StageLocked(StageFailed):
    """Another DVC process holds a lock on the files of the stage; the message names it."""


@dataclass(frozen=True)
class StageRun:
    """The result of a stage: `unchanged` says why DVC did not run it, None if it ran."""

    stage: str
    seconds: float
    unchanged: str | None

    def in_words(self) -> str:
        """Return the result in a few words."""
        return self.unchanged or f"ran in {self.seconds} s"


def reproduce(
    stage: str,
    on_line: Callable[[str], None],
    *,
    force: bool = False,
    grace: float = GRACE_SECONDS,
    folder: Path | None = None,
    settings: Mapping[str, str] | None = None,
    check: Callable[[], None] = nothing,
) -> StageRun:
    """Bring one stage up to date without checking the stages before it.

    The workspace is `folder`, by default the working folder; `settings` are added to the stage's environment.
    `check` is called every second; an exception from it ends the stage with all its processes.

    Raises:
        StageLocked: another process holds DVC's lock on its files; nothing ran.
        StageFailed: DVC or the stage's command failed.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    unchanged: str | None = None

    def follow(line: str) -> None:
        nonlocal unchanged
        last.append(line)
        unchanged = _why_unchanged(stage, line) or unchanged
        on_line(line)

    start = time.monotonic()
    environment = {**_environment(), **(settings or {})}
    targets = [*steps_of(stage, folder or Path()), stage]
    command = _command(targets, force)
    code = process.run(command, follow, env=environment, folder=folder, grace=grace, check=check)
    if code:
        raise _failure(stage, code, list(last))
    return StageRun(stage, round(time.monotonic() - start, 1), unchanged)


def _command(targets: Sequence[str], force: bool) -> list[str]:
    return dvc_command("repro", "--single-item", *(["--force"] if force else []), *targets)


def _environment() -> dict[str, str]:
    """Return DVC's environment with the id of the flow run, which the stage adds to its tags in MLflow."""
    flow = {"PREFECT__FLOW_RUN_ID": str(run_id)} if (run_id := flow_run.get_id()) else {}
    return {**dvc_environment(), **flow}


def _why_unchanged(stage: str, line: str) -> str | None:
    if not line.startswith(f"Stage '{stage}' "):
        return None
    return next((why for words, why in _UNCHANGED.items() if words in line), None)


def _failure(stage: str, code: int, last: list[str]) -> StageFailed:
    text = "\n".join(last)
    if _LOCKED.search(text):
        return StageLocked(stage, f"Stage {stage} did not run: {_holders(text)}. Wait for it, or stop it.")
    heading = f"Stage {stage} failed with exit code {code}. Its last {len(last)} lines:"
    return StageFailed(stage, f"{heading}\n{text}", network=bool(_NETWORK.search(text)))


def _holders(text: str) -> str:
    holders = [f"process {pid} ({command.strip()})" for pid, command in _HOLDER.findall(text)]
    if not holders and REPO_LOCK.exists() and (pid := REPO_LOCK.read_text().strip()).isdigit():
        holders = [f"process {pid} ({_command_line(int(pid))})"]
    return f"its files are locked by {', '.join(holders) or 'another DVC process'}"


def _command_line(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return "already ended"


def worth_retrying(task: Task[Any, Any], task_run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001
    """Return whether another attempt may succeed: after a lock, and a few times after a network error.

    Nothing else is retried: a stage that failed after an hour would fail again.
    """
    error = state.result(raise_on_failure=False)
    if isinstance(error, StageLocked):
        return True
    network = isinstance(error, StageFailed) and error.network and error.stage in NETWORK_STAGES
    return (network or isinstance(error, TrackingFailed)) and task_run.run_count <= NETWORK_RETRIES


def run_stage(
    stage: str,
    *,
    force: bool = False,
    fresh: bool = False,
    still_holds: Callable[[], bool] | None = None,
    check: Callable[[], None] = nothing,
) -> StageRun:
    """Run a stage as a Prefect task of the same name, and publish its report as an artifact of that task.

    Args:
        stage: one of the six.
        force: run it, even if nothing has changed.
        fresh: DVC has said that it is up to date.
        still_holds: called if DVC did not run the stage; checks effects that DVC cannot see. False forces
            a run.
        check: called every second; a RunStopped from it ends the stage with all its processes.
    """
    named = _stage.with_options(
        name=stage, task_run_name=lambda: stage, retries=LOCK_RETRIES, retry_delay_seconds=RETRY_SECONDS
    )
    state: Any = named(stage, force, fresh, still_holds, check)
    check()  # a stopped stage has no result
    run: StageRun = state.result()
    return run


# DVC alone decides what is up to date, so Prefect neither caches nor persists results.
@task(cache_policy=NO_CACHE, persist_result=False, retry_condition_fn=worth_retrying)
def _stage(
    stage: str,
    force: bool,
    fresh: bool,
    still_holds: Callable[[], bool] | None,
    check: Callable[[], None],
) -> Any:
    logger = get_run_logger()

    def log(line: str) -> None:
        level = "error" if line.startswith("ERROR") else "warning" if line.startswith("WARNING") else "info"
        getattr(logger, level)("%s", line)

    try:
        check()
        waits = stage == "train" and not fresh and on_gpu()
        with gpu_slot(check, logger.warning) if waits else nullcontext():
            run = StageRun(stage, 0.0, FRESH) if fresh else reproduce(stage, log, force=force, check=check)
            if run.unchanged and still_holds and not still_holds():
                logger.warning(
                    "DVC sees no change, but the effect of %s no longer holds: running it again.", stage
                )
                run = reproduce(stage, log, force=True, check=check)
    except RunStopped as stopped:
        return stopped.state
    artifacts.publish(stage, warn=logger.warning)
    if run.unchanged:
        return Completed(name="Unchanged", message=f"{stage}: {run.unchanged}", data=run)
    return Completed(message=f"{stage} ran in {run.seconds} s", data=run)


def on_gpu() -> bool:
    """Return whether the stages of the workspace use an NVIDIA GPU."""
    return needs_gpu(load_params().base.device)

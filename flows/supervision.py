"""What every flow does around its work: lock the workspace, watch for its end, and end in time.

There is no concurrency limit of Prefect's on the deployments. Its slot is a lease that the run renews every
225 s, and a renewal that fails crashes the run: an outage of the server at the wrong moment would end a night
of training. A killed run would also hold its slot for five minutes. The kernel's lock on the workspace has
neither problem, and it holds for runs from the command line as well.
"""

import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from prefect import get_run_logger
from prefect.exceptions import TerminationSignal
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.states import Running

from flows.watch import RunStopped, Watch, watching
from flows.workspace import exclusive

EXIT_SECONDS = 7.0  # to report the end of a terminated run; Prefect would retry for minutes
TERMINATED, INTERRUPTED = 143, 130


def supervise(work: Callable[[Watch], Any], *, timeout_hours: float, workspace: bool = True) -> Any:
    """Do the work of a flow, and return its result, or the state in which it was stopped.

    Args:
        work: called with the watch of the run, whose `check` it calls while it works.
        timeout_hours: for the work, without waiting for the workspace.
        workspace: whether the work is exclusive in the workspace; then a second run waits for the first.
    """
    run_id: Any = flow_run.get_id()
    try:
        with (
            watching(run_id, get_run_logger()) as watch,
            _locked(watch) if workspace else nullcontext(),
        ):
            watch.limit(timeout_hours)
            watch.check()
            return work(watch)
    except RunStopped as stopped:
        get_run_logger().warning(str(stopped))
        return stopped.state
    except (TerminationSignal, KeyboardInterrupt) as signalled:
        if get_current_settings().api.url:
            _exit_soon(TERMINATED if isinstance(signalled, TerminationSignal) else INTERRUPTED)
        raise


def _locked(watch: Watch) -> Any:
    waited = False

    def on_wait(words: str) -> None:
        nonlocal waited
        waited = True
        get_run_logger().warning(words)
        watch.report(Running(name="WaitingForWorkspace", message=words))

    def on_locked() -> None:
        if waited:
            watch.report(Running())

    name = f"flow run {flow_run.get_name()!r}"
    return exclusive(name, on_wait=on_wait, on_locked=on_locked, check=watch.check)


def _exit_soon(code: int) -> None:
    """End the process in a few seconds, whether or not the server lets Prefect report the end."""
    timer = threading.Timer(EXIT_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()

"""The state of our flow run on the server, followed while it works, and its time limit.

Prefect's worker listens for cancellations as well, but after an outage of the server it stops listening for
good ("cancellation polling failed"), and a cancelled run goes on to its end. So a run asks for its own state.
"""

import contextvars
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings
from prefect.states import Cancelled, Failed, Running

POLL_SECONDS = 5.0
REQUEST_SECONDS = 5.0
OUTAGE_SECONDS = 600.0  # how long the end of a run waits for the server, to report it

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


class RunStopped(Exception):
    """The run has to end; `state` says why. Not a FaceNetError, which a sweep counts as a failed point."""

    def __init__(self, state: State[Any]) -> None:
        super().__init__(state.message)
        self.state = state


class Watch:
    """The decision whether our flow run may go on: it was not cancelled, and its time is not up.

    Args:
        run_id: the flow run; None outside a flow run, for which only the time limit counts.
        logger: for outages of the server.
    """

    def __init__(self, run_id: UUID | None, logger: Logger) -> None:
        self._run_id, self._logger = run_id, logger
        self._stopped: State[Any] | None = None
        self._limit: tuple[float, float] | None = None  # when it is reached, and its hours
        self._away = False

    def limit(self, hours: float) -> None:
        """Let the run work for `hours` from now on."""
        self._limit = (time.monotonic() + 3600 * hours, hours)

    def check(self) -> None:
        """Return if the run may go on.

        Raises:
            RunStopped: it was cancelled, or its time is up.
        """
        if self._stopped is not None:
            raise RunStopped(self._stopped)
        if self._limit is not None and time.monotonic() > self._limit[0]:
            message = (
                f"The run did not end within {self._limit[1]:g} hours (parameter timeout_hours) and was "
                "ended. Finished stages are cached: the next run continues from there."
            )
            raise RunStopped(Failed(name="TimedOut", message=message))

    def report(self, state: State[Any]) -> None:
        """Show a state on the server, such as what a run waits for; do nothing in an outage of the server."""
        try:
            with self._client() as client:
                client.set_flow_run_state(self._run_id, state)  # not by force: a cancellation stays
        except httpx.HTTPError as error:
            self._logger.warning("The state %s could not be reported: %s", state.name, error)

    def follow(self, stop: threading.Event) -> None:
        """Ask for the run's state every few seconds until `stop` is set."""
        while not stop.wait(POLL_SECONDS):
            self.poll()

    def poll(self) -> bool:
        """Ask for the run's state once, and return whether the server answered."""
        try:
            with self._client() as client:
                state = client.read_flow_run(self._run_id).state
        except ObjectNotFound:
            self._stopped = Cancelled(message="The run was deleted on the server while it worked, and ended.")
            return True
        except (httpx.HTTPError, ValueError) as error:  # ValueError: the answer is not one of Prefect's
            if not self._away:
                self._logger.warning("The Prefect server does not answer, the run goes on: %s", error)
            self._away = True
            return False
        if self._away:
            self._logger.info("The Prefect server answers again.")
        self._away = False
        if state is not None and (state.is_cancelling() or state.is_final()):
            self._obey(state)
        return True

    def wait_for_server(self) -> None:
        """Wait, for ten minutes at most, until the server answers: a run that ends without it has no end."""
        end = time.monotonic() + OUTAGE_SECONDS
        while not self.poll() and time.monotonic() < end:
            time.sleep(1.0)

    def _obey(self, state: State[Any]) -> None:
        """End the run, unless it is only believed to be dead."""
        if state.type == StateType.CRASHED:
            self._logger.warning("The run is marked as crashed, but it works: %s", state.message)
            self.report(Running(message="It was thought to have crashed, but it works."))
        elif state.type in (StateType.CANCELLING, StateType.CANCELLED):
            self._stopped = Cancelled(message="The run was cancelled. Finished stages are cached.")
        else:
            self._stopped = Cancelled(message=f"The run was set to {state.name} while it worked, and ended.")

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Yield a client that fails at once: Prefect's own would retry for a minute."""
        with (
            temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client(sync_client=True, httpx_settings={"timeout": REQUEST_SECONDS}) as client,
        ):
            yield client


@contextmanager
def watching(run_id: UUID | None, logger: Logger) -> Iterator[Watch]:
    """Yield the watch of a flow run, which is followed in a thread until the block ends.

    With the temporary server of a run without one, nobody can cancel from elsewhere: nothing is followed.
    """
    watch = Watch(run_id, logger)
    if run_id is None or not get_current_settings().api.url:
        yield watch
        return
    stop, context = threading.Event(), contextvars.copy_context()  # of settings
    thread = threading.Thread(target=context.run, args=(watch.follow, stop), daemon=True, name="watch")
    thread.start()
    try:
        yield watch
    except Exception:
        _leave(watch, stop, thread)
        raise
    else:
        _leave(watch, stop, thread)
        watch.check()  # cancelled at the last moment: Prefect accepts no other end
    finally:
        stop.set()


def _leave(watch: Watch, stop: threading.Event, thread: threading.Thread) -> None:
    watch.wait_for_server()
    stop.set()
    thread.join(2 * REQUEST_SECONDS)

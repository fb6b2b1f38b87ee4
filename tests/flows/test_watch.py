"""Runs that are cancelled, thought dead, or out of time, on a real Prefect API."""

import logging
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling, Completed, Crashed, Failed, Running

from flows import watch as watch_module
from flows.watch import RunStopped, Watch, watching
from tests.servers import free_port
from tests.waiting import wait_for

LOGGER = logging.getLogger("watched")


@pytest.fixture
def run_id(prefect_api: None) -> UUID:
    """A running flow run."""
    from prefect import flow

    @flow
    def watched() -> None:
        """Nothing."""

    with get_client(sync_client=True) as client:
        return client.create_flow_run(watched, state=Running()).id


def become(run_id: UUID, state: Any) -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, state, force=True)


def state_of(run_id: UUID) -> Any:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id).state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (Cancelling(), "The run was cancelled. Finished stages are cached."),
        (Failed(), "The run was set to Failed while it worked, and ended."),
        (Completed(), "The run was set to Completed while it worked, and ended."),
    ],
)
def test_a_run_that_was_ended_on_the_server_stops(run_id: UUID, state: Any, message: str) -> None:
    watch = Watch(run_id, LOGGER)
    assert watch.poll()
    watch.check()
    become(run_id, state)
    assert watch.poll()
    with pytest.raises(RunStopped, match=message) as stopped:
        watch.check()
    assert stopped.value.state.is_cancelled()


def test_a_run_that_was_deleted_on_the_server_stops(run_id: UUID) -> None:
    with get_client(sync_client=True) as client:
        client.delete_flow_run(run_id)
    watch = Watch(run_id, LOGGER)
    assert watch.poll()
    with pytest.raises(RunStopped, match="was deleted on the server"):
        watch.check()


def test_a_run_thought_to_have_crashed_goes_on_and_says_so(run_id: UUID) -> None:
    become(run_id, Crashed())
    watch = Watch(run_id, LOGGER)
    watch.poll()
    watch.check()
    assert state_of(run_id).is_running()


def test_a_report_does_not_undo_a_cancellation(run_id: UUID) -> None:
    watch = Watch(run_id, LOGGER)
    watch.report(Running(name="WaitingForWorkspace"))
    assert state_of(run_id).name == "WaitingForWorkspace"
    become(run_id, Cancelling())
    watch.report(Running())
    assert state_of(run_id).is_cancelling()


def test_a_run_goes_on_during_an_outage_and_is_cancelled_after_it(
    run_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(run_id, LOGGER)
    become(run_id, Cancelling())
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        assert not watch.poll()
        assert not watch.poll()
        watch.report(Running())
        watch.check()
    assert watch.poll()
    with pytest.raises(RunStopped):
        watch.check()
    said = [record.getMessage().partition(":")[0] for record in caplog.records if record.name == "watched"]
    assert said == [
        "The Prefect server does not answer, the run goes on",
        "The state Running could not be reported",
    ]


def test_the_time_limit_counts_from_when_it_is_set() -> None:
    watch = Watch(None, LOGGER)
    watch.check()
    watch.limit(1)
    watch.check()
    watch.limit(0)
    with pytest.raises(RunStopped, match=r"within 0 hours \(parameter timeout_hours\)") as stopped:
        watch.check()
    assert stopped.value.state.name == "TimedOut"
    assert stopped.value.state.is_failed()


def test_a_thread_follows_the_state_until_the_block_ends(
    run_id: UUID, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 0.05)

    def stopped(watch: Watch) -> bool:
        try:
            watch.check()
        except RunStopped:
            return True
        return False

    with pytest.raises(RunStopped), watching(run_id, LOGGER) as watch:  # noqa: PT012
        assert not stopped(watch)
        become(run_id, Cancelling())
        wait_for(lambda: stopped(watch))
        watch.check()


def test_a_run_cancelled_at_the_last_moment_has_no_other_end(run_id: UUID, api: str) -> None:
    with pytest.raises(RunStopped), watching(run_id, LOGGER):
        become(run_id, Cancelling())

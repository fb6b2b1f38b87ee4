"""The environment decides how many workers there are and where they run."""

import os

import pytest

from facenet.errors import ParamsInvalid
from tasks.workers.team import SCHEDULER, WORKERS, scheduler_address, worker_count


@pytest.mark.parametrize("text", ["0", "-1", "two", ""])
def test_an_invalid_number_of_workers_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS, text)
    with pytest.raises(ParamsInvalid, match=WORKERS):
        worker_count()


def test_there_is_a_worker_per_processor_unless_the_number_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS, "5")
    assert worker_count() == 5
    monkeypatch.delenv(WORKERS)
    assert 1 <= worker_count() <= (os.cpu_count() or 1)


def test_the_scheduler_is_the_one_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SCHEDULER, raising=False)
    assert scheduler_address() is None
    monkeypatch.setenv(SCHEDULER, "")
    assert scheduler_address() is None
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:8786")
    assert scheduler_address() == "tcp://127.0.0.1:8786"

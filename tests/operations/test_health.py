"""Each health check believes the server's own protocol only."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from operations.health import HEALTHY, IDLE, WAITING, champion_version, check, check_all, is_good
from operations.prefect import POOL
from operations.programs import programs
from operations.served import Served, save_served
from operations.stack import Stack
from tests.operations.conftest import Answers
from tests.servers import free_port

ALIAS = "/api/2.0/mlflow/registered-models/alias?name=facenet&alias=champion"
WORKERS = f"/api/work_pools/{POOL}/workers/filter"


@pytest.mark.parametrize(("body", "expected"), [("true", HEALTHY), ("false", "not ready")])
def test_prefect(
    make_stack: Callable[..., Stack], answering: Callable[[Answers], int], body: str, expected: str
) -> None:
    assert check("prefect", make_stack(prefect_port=answering({"/api/health": (200, body)}))) == expected


def test_mlflow(make_stack: Callable[..., Stack], answering: Callable[[Answers], int]) -> None:
    assert check("mlflow", make_stack(mlflow_port=answering({"/health": (200, "OK")}))) == HEALTHY
    assert check("mlflow", make_stack(mlflow_port=answering({}))) == "HTTP 404"
    assert check("mlflow", make_stack(mlflow_port=free_port())) == "Connection refused"


def test_a_worker_is_healthy_once_it_has_sent_a_heartbeat(
    make_stack: Callable[..., Stack], answering: Callable[[Answers], int]
) -> None:
    beat = datetime(2026, 1, 1, tzinfo=UTC)
    worker = {"status": "ONLINE", "last_heartbeat_time": beat.isoformat()}
    stack = make_stack(prefect_port=answering({WORKERS: (200, [worker, {**worker, "status": "OFFLINE"}])}))
    assert check("worker", stack, started=beat.timestamp() - 1) == HEALTHY
    assert check("worker", stack, started=beat.timestamp() + 1) == "no heartbeat yet"
    for answer in ((200, []), (404, "no pool")):
        stack = make_stack(prefect_port=answering({WORKERS: answer}))
        assert check("worker", stack) == "no heartbeat yet"


@pytest.mark.parametrize(
    ("status", "expected"),
    [(403, HEALTHY), (200, "it lists buckets without a password"), (500, "HTTP 500")],
)
def test_an_s3_store_has_to_refuse(
    make_stack: Callable[..., Stack], answering: Callable[[Answers], int], status: int, expected: str
) -> None:
    assert check("s3", make_stack(s3_port=answering({"/": (status, "")}))) == expected


def test_postgresql_that_does_not_run(make_stack: Callable[..., Stack]) -> None:
    assert "Connection refused" in check("postgresql", make_stack(postgresql_port=free_port()))


def test_without_a_champion_a_server_waits(
    make_stack: Callable[..., Stack], answering: Callable[[Answers], int]
) -> None:
    closed = free_port()
    stack = make_stack(mlflow_port=answering({}), champion_port=closed)
    assert champion_version(stack) == ""
    assert (check("champion", stack), check("model-a", stack), check("model-b", stack)) == (
        WAITING,
        WAITING,
        IDLE,
    )
    known = answering({ALIAS: (200, {"model_version": {"version": "7"}})})
    stack = make_stack(mlflow_port=known, champion_port=closed)
    assert champion_version(stack) == "7"
    assert check("champion", stack) == "Connection refused"
    save_served(Served("b", "7"), stack.folder)
    assert (check("model-a", stack), check("model-b", stack)) == (IDLE, "Connection refused")


def test_all_are_asked_at_once(make_stack: Callable[..., Stack], answering: Callable[[Answers], int]) -> None:
    stack = make_stack(prefect_port=answering({"/api/health": (200, "true")}), mlflow_port=free_port())
    found = check_all(programs(stack), stack, {})
    assert found == {
        "prefect": HEALTHY,
        "mlflow": "Connection refused",
        "worker": "no heartbeat yet",
    }
    assert [is_good(health) for health in (HEALTHY, WAITING, IDLE, "HTTP 500")] == [True, True, True, False]

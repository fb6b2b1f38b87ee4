"""Whether a server does its work, asked over its own protocol."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from operations.http import SECONDS, Unanswered, ask
from operations.prefect import POOL
from operations.programs import Program
from operations.served import SLOTS, load_served
from operations.settings import LOOPBACK
from operations.stack import Stack, mlflow_auth, prefect_auth

HEALTHY, WAITING, IDLE = "healthy", "waiting for a champion", "idle"


def check_all(programs: list[Program], stack: Stack, started: dict[str, float]) -> dict[str, str]:
    """Return the health of each program, asked at the same time: `healthy`, or what is wrong.

    started: when the supervisor started each, in seconds since 1970; 0 if it does not run.
    """
    with ThreadPoolExecutor(max_workers=len(programs)) as pool:
        found = pool.map(lambda program: check(program.name, stack, started.get(program.name, 0.0)), programs)
        return dict(zip([program.name for program in programs], found, strict=True))


def check(name: str, stack: Stack, started: float = 0.0) -> str:
    """Return `healthy`, what is as good (see `is_good`), or what is wrong in a few words."""
    try:
        return CHECKS[name](stack, started) or HEALTHY
    except Unanswered as reason:
        return str(reason)


def is_good(health: str) -> bool:
    """Return whether a server is as it should be: it works, has nothing to serve yet, or is not its turn."""
    return health in (HEALTHY, WAITING, IDLE)


def champion_version(stack: Stack, *, seconds: float = SECONDS) -> str:
    """Return the version with the alias champion, "" if there is none; wait for MLflow for some seconds.

    Raises:
        Unanswered: MLflow does not respond.
    """
    query = f"name={stack.settings.model}&alias=champion"
    url = f"{stack.settings.mlflow_url}/api/2.0/mlflow/registered-models/alias?{query}"
    try:
        answer = json.loads(ask(url, auth=mlflow_auth(stack), seconds=seconds))
    except Unanswered as reason:
        if reason.status in (400, 404):  # no such alias, no such model
            return ""
        raise
    return str(answer["model_version"]["version"])


def _postgresql(stack: Stack, _: float) -> str:
    import psycopg2

    try:
        with psycopg2.connect(
            host=LOOPBACK,
            port=stack.settings.postgresql_port,
            user="prefect",
            password=stack.secrets.prefect_database,
            dbname="prefect",
            connect_timeout=2,
        ) as connection:
            connection.cursor().execute("SELECT 1")
        connection.close()
    except psycopg2.Error as error:
        lines = str(error).strip().splitlines()
        return lines[0].rpartition("failed: ")[2] if lines else type(error).__name__
    return ""


def _prefect(stack: Stack, _: float) -> str:
    return "" if ask(f"{stack.settings.prefect_api}/health") == b"true" else "not ready"


def _mlflow(stack: Stack, _: float) -> str:
    return "" if ask(f"{stack.settings.mlflow_url}/health") == b"OK" else "not ready"


def _worker(stack: Stack, started: float) -> str:
    """Return "" if the worker has sent a heartbeat since it was started."""
    url = f"{stack.settings.prefect_api}/work_pools/{POOL}/workers/filter"
    try:
        workers = json.loads(ask(url, {}, auth=prefect_auth(stack)))
    except Unanswered as reason:
        if reason.status == 404:  # the worker creates the pool
            return "no heartbeat yet"
        raise
    beats = [worker["last_heartbeat_time"] for worker in workers if worker["status"] == "ONLINE"]
    newest = max((datetime.fromisoformat(beat).timestamp() for beat in beats if beat), default=0.0)
    return "" if newest >= started and newest else "no heartbeat yet"


def _s3(stack: Stack, _: float) -> str:
    try:
        ask(f"http://{LOOPBACK}:{stack.settings.s3_port}/")
    except Unanswered as reason:
        return "" if reason.status == 403 else str(reason)
    return "it lists buckets without a password"


def _champion(stack: Stack, _: float) -> str:
    return _ping(stack, stack.settings.champion_port)


def _model(slot: str) -> Callable[[Stack, float], str]:
    def ask_model(stack: Stack, _: float) -> str:
        if slot != load_served(stack.folder).slot:
            return IDLE
        return _ping(stack, stack.settings.model_port(slot))

    return ask_model


def _ping(stack: Stack, port: int) -> str:
    try:
        ask(f"http://{LOOPBACK}:{port}/ping")
    except Unanswered:
        if not champion_version(stack):
            return WAITING
        raise
    return ""


CHECKS: dict[str, Callable[[Stack, float], str]] = {
    "postgresql": _postgresql,
    "prefect": _prefect,
    "mlflow": _mlflow,
    "worker": _worker,
    "s3": _s3,
    "champion": _champion,
    **{f"model-{slot}": _model(slot) for slot in SLOTS},
}

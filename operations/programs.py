"""The servers as programs: how each is started, with which environment, and what it needs first."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from operations import mlflow, postgresql, prefect, s3
from operations.folder import NAME
from operations.served import SLOTS, load_served
from operations.stack import Stack, client_environment, python_module, search_path

# No tool phones home. MLflow's job executor would be eight more processes and a gigabyte.
QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


@dataclass(frozen=True)
class Program:
    """One server under the supervisor.

    port: that it listens on, 0 for none.
    needs: programs that must be healthy before it starts.
    command, environment: of the server; the environment is added to ours.
    stop_signal, stop_seconds: how it is asked to end, and after how long it is killed.
    autostart: whether it starts with the supervisor.
    """

    name: str
    port: int
    needs: tuple[str, ...]
    command: Callable[[Stack], list[str]]
    environment: Callable[[Stack], dict[str, str]] = lambda _: {}
    stop_signal: str = "TERM"
    stop_seconds: int = 30
    autostart: bool = True


def programs(stack: Stack) -> list[Program]:
    """Return the servers that the settings ask for, in the order of their start."""
    settings, chosen = stack.settings, list[Program]()
    database = ("postgresql",) if settings.database == "postgresql" else ()
    if database:  # SIGINT: fast shutdown, which does not wait for clients
        command, port = postgresql.server_command, settings.postgresql_port
        chosen.append(Program("postgresql", port, (), command, stop_signal="INT", stop_seconds=60))
    if settings.s3:
        chosen.append(Program("s3", settings.s3_port, (), s3.server_command, s3.server_environment))
    command, variables, port = prefect.server_command, prefect.server_environment, settings.prefect_port
    chosen.append(Program("prefect", port, database, command, variables))
    command, variables, port = mlflow.server_command, mlflow.server_environment, settings.mlflow_port
    chosen.append(Program("mlflow", port, database, command, variables))
    # A flow that is ended writes a checkpoint first.
    needs, work = ("prefect", "mlflow"), prefect.worker_command
    chosen.append(Program("worker", 0, needs, work, client_environment, stop_seconds=60))
    if settings.serve:
        turn = load_served(stack.folder).slot
        chosen += [_model(slot, stack, slot == turn) for slot in SLOTS]
        chosen.append(Program("champion", settings.champion_port, (), _door_command))
    return chosen


def _door_command(_: Stack) -> list[str]:
    return python_module("operations", "door")


def _model(slot: str, stack: Stack, turn: bool) -> Program:
    port, command = stack.settings.model_port(slot), mlflow.model_command(slot)
    return Program(f"model-{slot}", port, ("mlflow",), command, mlflow.model_environment, autostart=turn)


def environment(program: Program, stack: Stack) -> Mapping[str, str]:
    """Return the whole environment of a program."""
    common = {
        NAME: program.name,
        "PATH": search_path(),  # where MLflow looks for uvicorn
        "PYTHONUNBUFFERED": "1",
        "PREFECT_HOME": str(stack.folder.prefect),
        "FACENET_WORKSPACE": stack.settings.workspace,
    }
    return {**os.environ, **QUIET, **common, **program.environment(stack)}

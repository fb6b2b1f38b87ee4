"""What is started, in which order, and that no password is on a command line."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from operations.folder import NAME
from operations.programs import Program, environment, programs
from operations.served import Served, save_served
from operations.stack import Stack


def named(stack: Stack) -> dict[str, Program]:
    return {program.name: program for program in programs(stack)}


def test_only_what_is_asked_for_runs(make_stack: Callable[..., Stack]) -> None:
    assert list(named(make_stack())) == ["prefect", "mlflow", "worker"]
    full = named(make_stack(database="postgresql", s3=True, serve=True))
    order = list(full)
    assert order == ["postgresql", "s3", "prefect", "mlflow", "worker", "model-a", "model-b", "champion"]
    for program in full.values():
        assert all(order.index(need) < order.index(program.name) for need in program.needs)
    assert full["prefect"].needs == full["mlflow"].needs == ("postgresql",)


def test_no_command_has_a_password(
    make_stack: Callable[..., Stack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("weed", "initdb", "pg_ctl", "postgres", "psql"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FACENET_POSTGRESQL", str(tmp_path))
    stack = make_stack(database="postgresql", auth=True, s3=True, serve=True)
    for program in programs(stack):
        command = " ".join(program.command(stack))
        assert not any(secret in command for secret in asdict(stack.secrets).values()), program.name


def test_of_the_champions_servers_one_starts(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(serve=True)
    save_served(Served("b", "3"), stack.folder)
    assert [named(stack)[f"model-{slot}"].autostart for slot in "ab"] == [False, True]


def test_every_server_is_quiet_marked_and_at_home(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(database="postgresql", serve=True)
    for program in programs(stack):
        found = environment(program, stack)
        assert found[NAME] == program.name
        assert found["PREFECT_HOME"] == str(stack.folder.prefect)
        assert found["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
        assert found["MLFLOW_DISABLE_TELEMETRY"] == found["DO_NOT_TRACK"] == "true"
        assert found["FACENET_WORKSPACE"] == stack.settings.workspace

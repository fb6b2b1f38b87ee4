"""The Prefect server keeps everything in the folder, and its UI calls the right port."""

from collections.abc import Callable

import pytest

from operations.prefect import POOL, server_command, server_environment, worker_command
from operations.stack import Stack


def test_leases_are_on_disk_and_the_ui_calls_the_right_port(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(prefect_port=4321)
    found = server_environment(stack)
    assert found["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"].endswith(".lease_storage.filesystem")
    assert found["PREFECT_UI_API_URL"] == found["PREFECT_API_URL"] == "http://127.0.0.1:4321/api"
    assert found["PREFECT_SERVER_UI_STATIC_DIRECTORY"] == str(stack.folder.prefect / "ui")
    database = found["PREFECT_SERVER_DATABASE_CONNECTION_URL"]
    assert database == f"sqlite+aiosqlite:///{stack.folder.prefect / 'prefect.db'}"
    assert "PREFECT_SERVER_API_AUTH_STRING" not in found
    assert server_command(stack)[-4:] == ["--host", "127.0.0.1", "--port", "4321"]


def test_with_a_password_others_may_reach_it(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(database="postgresql", postgresql_port=5555, hostname="box", auth=True)
    found = server_environment(stack)
    assert found["PREFECT_UI_API_URL"] == "http://box:4200/api"
    assert found["PREFECT_SERVER_API_AUTH_STRING"] == f"admin:{stack.secrets.prefect}"
    assert found["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == (
        f"postgresql+asyncpg://prefect:{stack.secrets.prefect_database}@127.0.0.1:5555/prefect"
    )
    assert server_command(stack)[-4:] == ["--host", "0.0.0.0", "--port", "4200"]


def test_the_lease_storage_exists_in_this_prefect() -> None:
    from importlib import import_module

    from operations.prefect import LEASES

    assert import_module(LEASES).ConcurrencyLeaseStorage


def test_what_removed_runs_leave_is_removed_and_no_run_by_itself(
    make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import Settings

    name = "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"
    monkeypatch.setenv(name, server_environment(make_stack())[name])
    assert Settings().server.services.db_vacuum.enabled_vacuum_types == {"events", "orphans"}


def test_a_worker_has_the_same_name_at_each_start(make_stack: Callable[..., Stack]) -> None:
    command = worker_command(make_stack())
    assert command == worker_command(make_stack())
    assert command[command.index("--pool") + 1] == POOL

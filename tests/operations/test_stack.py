"""Clients get addresses, and passwords where there are some."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from operations.stack import Stack, client_environment, database_uri, python_module, search_path


def test_clients_get_what_they_need_and_no_more(make_stack: Callable[..., Stack]) -> None:
    assert client_environment(make_stack(prefect_port=4300)) == {
        "PREFECT_API_URL": "http://127.0.0.1:4300/api",
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000",
    }
    stack = make_stack(auth=True, s3=True, s3_port=7000)
    found = client_environment(stack)
    assert found["PREFECT_API_AUTH_STRING"] == f"admin:{stack.secrets.prefect}"
    assert found["MLFLOW_TRACKING_PASSWORD"] == stack.secrets.mlflow
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:7000"
    assert stack.secrets.control not in found.values()


def test_each_server_has_its_own_database(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(database="postgresql", postgresql_port=6000)
    secrets = stack.secrets
    assert database_uri(stack, "mlflow") == (
        f"postgresql://mlflow:{secrets.mlflow_database}@127.0.0.1:6000/mlflow"
    )
    assert database_uri(stack, "prefect", "asyncpg") == (
        f"postgresql+asyncpg://prefect:{secrets.prefect_database}@127.0.0.1:6000/prefect"
    )
    files = {database_uri(make_stack(), role) for role in ("prefect", "mlflow")}
    assert files == {
        f"sqlite:///{stack.folder.prefect / 'prefect.db'}",
        f"sqlite:///{stack.folder.mlflow / 'mlflow.db'}",
    }


def test_programs_of_this_environment_come_first() -> None:
    assert search_path().split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert python_module("x", "y") == [sys.executable, "-m", "x", "y"]

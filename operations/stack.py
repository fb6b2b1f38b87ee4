"""What everything of the servers is derived from, and the variables that their clients need."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from operations.folder import Folder
from operations.secrets import USER, Secrets
from operations.settings import LOOPBACK, Settings
from tasks.tracking.store import sqlite_uri


@dataclass(frozen=True)
class Stack:
    """The folder of the servers, their settings and their passwords."""

    folder: Folder
    settings: Settings
    secrets: Secrets


def client_environment(stack: Stack) -> dict[str, str]:
    """Return what a client of the servers needs: the worker, a flow, or a shell that sources `env`."""
    settings, secrets = stack.settings, stack.secrets
    found = {"PREFECT_API_URL": settings.prefect_api, "MLFLOW_TRACKING_URI": settings.mlflow_url}
    if settings.auth:
        found["PREFECT_API_AUTH_STRING"] = prefect_auth(stack)
        found["MLFLOW_TRACKING_USERNAME"] = USER
        found["MLFLOW_TRACKING_PASSWORD"] = secrets.mlflow
    if settings.s3:
        found["AWS_ENDPOINT_URL"] = f"http://{LOOPBACK}:{settings.s3_port}"
        found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"] = secrets.s3_id, secrets.s3
    return found


def prefect_auth(stack: Stack) -> str:
    """Return USER:PASSWORD of Prefect, "" without authentication."""
    return f"{USER}:{stack.secrets.prefect}" if stack.settings.auth else ""


def mlflow_auth(stack: Stack) -> str:
    """Return USER:PASSWORD of MLflow, "" without authentication."""
    return f"{USER}:{stack.secrets.mlflow}" if stack.settings.auth else ""


def database_uri(stack: Stack, role: str, driver: str = "") -> str:
    """Return the URL of the database of prefect or mlflow, with its password, for a driver of SQLAlchemy."""
    if stack.settings.database == "postgresql":
        password = stack.secrets.prefect_database if role == "prefect" else stack.secrets.mlflow_database
        scheme = f"postgresql{'+' if driver else ''}{driver}"
        return f"{scheme}://{role}:{password}@{LOOPBACK}:{stack.settings.postgresql_port}/{role}"
    return sqlite_uri(stack.folder.path / role / f"{role}.db", driver)


def search_path() -> str:
    """Return the PATH with the programs of this environment first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def python_module(*words: str) -> list[str]:
    """Return the command that runs a module with this Python."""
    return [sys.executable, "-m", *words]

"""One question to an MLflow server without MLflow, whose import costs more than six unchanged stages do."""

import os
from typing import Any

import requests

from tasks.tracking.store import tracking_uri

PATH = "api/2.0/mlflow/model-versions/get"
SECONDS = 10.0
MISSING = "RESOURCE_DOES_NOT_EXIST"


class NoAnswer(Exception):
    """The question is one for MLflow's client: no server, or one that wants more than name and password."""


def is_server() -> bool:
    """Return whether the model registry is a server, not a database or a folder."""
    return _registry().startswith(("http://", "https://"))


def model_version(model: str, number: int) -> dict[str, Any] | None:
    """Return a version as the server describes it, None if it does not have it.

    Raises:
        NoAnswer: the registry is not a server, or did not answer this question.
    """
    if not is_server():
        raise NoAnswer
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}", "") for name in ("USERNAME", "PASSWORD"))
    question = {"name": model, "version": str(number)}
    auth = (user, password) if user or password else None
    try:
        url = f"{_registry().rstrip('/')}/{PATH}"
        response = requests.get(url, params=question, auth=auth, timeout=SECONDS)
        answer: dict[str, Any] = response.json()
        if response.ok:
            version: dict[str, Any] = answer["model_version"]
            return version
    except (requests.RequestException, ValueError, KeyError) as error:
        raise NoAnswer from error
    if answer.get("error_code") == MISSING:
        return None
    raise NoAnswer


def _registry() -> str:
    return os.environ.get("MLFLOW_REGISTRY_URI") or tracking_uri()

"""Other ways to ask a model whether two photos show the same person, for `benchmarks.answers`."""

import os
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from benchmarks.stage import ROOT
from facenet.results import SIDES
from tasks.tracking.models import save_served_model
from tests.servers import free_port, mlflow_running, running

Pairs = Sequence[tuple[bytes, bytes]]
# Of a workspace, some pairs and an empty folder; returns match and distance of each pair.
Way = Callable[[Path, Pairs, Path], list[dict[str, Any]]]
AT_ONCE = 20  # pairs per request of MLflow
CLIENTS = 4  # of the HTTP API
UNUSABLE = 422  # a photo without a face


def mlflow_serve(workspace: Path, pairs: Pairs, scratch: Path) -> list[dict[str, Any]]:
    """Return the answers of `mlflow models serve` for the model as register stores it."""
    models = workspace / "models"
    save_served_model(
        scratch / "served",
        weights=models / "facenet.safetensors",
        card=models / "model.json",
        calibration=models / "calibration.json",
        run_id="0" * 32,
        model_id="m-" + "0" * 32,
    )
    served = ["models", "serve", "-m", str(scratch / "served"), "--env-manager", "local", "--workers", "1"]
    answers: list[dict[str, Any]] = []
    with mlflow_running(served, "/ping", folder=scratch) as address:
        for start in range(0, len(pairs), AT_ONCE):
            some = [[b64encode(photo).decode() for photo in pair] for pair in pairs[start : start + AT_ONCE]]
            rows = {"dataframe_split": {"columns": ["left", "right"], "data": some}}
            response = requests.post(f"{address}/invocations", json=rows, timeout=600)
            response.raise_for_status()
            answers += response.json()["predictions"]
    return answers


def http_api(workspace: Path, pairs: Pairs, scratch: Path) -> list[dict[str, Any]]:
    """Return the answers of `POST /v1/verify` to several clients at once."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "commands.main", "serve", "--port", str(port)]
    command += ["--model", str(workspace / "models"), "--gallery", str(scratch / "gallery.db")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def ask(pair: tuple[bytes, bytes]) -> dict[str, Any]:
        files = dict(zip(SIDES, pair, strict=True))
        response = requests.post(f"{address}/v1/verify", files=files, timeout=600)
        if response.status_code == UNUSABLE:
            return {"match": False, "distance": None}
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    log = scratch / "serve.log"
    with (
        running(command, f"{address}/readyz", log=log, cwd=scratch, env=environment),
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        return list(clients.map(ask, pairs))


WAYS: dict[str, Way] = {"mlflow": mlflow_serve, "http": http_api}

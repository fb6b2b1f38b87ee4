"""Other ways to ask a model whether two photos show the same person, for `benchmarks.answers`."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

from tasks.tracking.models import save_served_model
from tests.servers import mlflow_running

Pairs = Sequence[tuple[bytes, bytes]]
# Of a workspace, some pairs and an empty folder; returns match and distance of each pair.
Way = Callable[[Path, Pairs, Path], list[dict[str, Any]]]
AT_ONCE = 20  # pairs per request


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


WAYS: dict[str, Way] = {"mlflow": mlflow_serve}

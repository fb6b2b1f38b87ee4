"""Backup of the running servers, wipe, restore: PostgreSQL, Prefect, MLflow and S3 answer as before."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from faults.errors import FaultFound, NotPossible
from faults.project import new_project
from faults.servers import Servers, running
from faults.tiny_models import make_champion, register_model, variables
from operations.binaries import find_binaries
from operations.folder import VARIABLE
from operations.s3 import BUCKET
from operations.stack import client_environment, search_path

SECONDS = 30


def run(folder: Path) -> None:
    """Register a model and set a variable, back up under way, delete the servers' folder, restore it."""
    if find_binaries() is None:
        raise NotPossible("PostgreSQL is not installed")
    workspace = new_project(folder / "workspace").folder
    with_store = shutil.which("weed", path=search_path()) is not None
    with running(folder, *(["--s3"] if with_store else [])) as servers:
        environment = client_environment(servers.stack)
        if with_store:
            _bucket(environment).put_object(Bucket=BUCKET, Key="faces", Body=b"bytes")
        version = register_model(folder / "model", 1, environment)
        make_champion(version, environment)
        api = environment["PREFECT_API_URL"]
        value = {"name": "kept", "value": "yes"}
        requests.post(f"{api}/variables/", json=value, timeout=SECONDS).raise_for_status()
        weights = _weights(folder / "before", environment)
        _call(servers, workspace, "operations.backup", folder / "backup")
        servers.command("down")
        shutil.rmtree(servers.folder.path)
        _call(servers, workspace, "operations.restore", folder / "backup")
        servers.command("up", "--wait", "240")
        found = requests.get(f"{api}/variables/name/kept", timeout=SECONDS)
        if found.status_code != 200 or found.json()["value"] != "yes":
            raise FaultFound(f"Prefect has lost a variable: {found.text}")
        if (
            with_store
            and _bucket(environment).get_object(Bucket=BUCKET, Key="faces")["Body"].read() != b"bytes"
        ):
            raise FaultFound("the S3 store has lost an object")
        if _weights(folder / "after", environment) != weights:
            raise FaultFound("the champion's weights differ")


def _bucket(environment: dict[str, str]) -> Any:
    import boto3

    with variables(**environment):
        return boto3.client("s3", region_name="us-east-1")


def _call(servers: Servers, workspace: Path, module: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder)],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": str(workspace), VARIABLE: str(servers.folder.path)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise FaultFound(f"{module}: {done.stdout}{done.stderr}")
    print(done.stdout)


def _weights(folder: Path, environment: dict[str, str]) -> bytes:
    """Return the bytes of the champion's weights, downloaded from MLflow."""
    from tasks.tracking.model_uri import resolve_version
    from tasks.tracking.registry import download_version

    folder.mkdir()
    with variables(**environment):
        files = download_version(resolve_version("models:/facenet@champion"), folder)
    return (files / "facenet.safetensors").read_bytes()

"""A promotion by the flow serves the new version, a rollback the old one with its embedding; with passwords.

A version that cannot be served fails the run, and the one before stays in service.
"""

import shutil
import sys
from pathlib import Path

from faults.errors import FaultFound
from faults.project import Checkout, new_project
from faults.servers import Servers, running
from faults.tiny_models import register_model
from operations.folder import VARIABLE
from operations.probe import probe
from operations.stack import client_environment


def run(folder: Path) -> None:
    """Promote version 1, then 2, roll back, and promote version 3, whose weights are lost."""
    workspace = folder / "wörk space"
    workspace.mkdir()
    project = new_project(workspace)
    with running(folder, "--serve", "--auth") as servers:
        clients = client_environment(servers.stack)
        versions = [register_model(folder / f"model{seed}", seed, clients) for seed in (1, 2, 3)]
        _expect("Version 1 of facenet is served", _promote(project, servers, versions[0]))
        first = _answer(servers)
        _expect("Version 2 of facenet is served instead of 1.", _promote(project, servers, versions[1]))
        if _answer(servers) == first:
            raise FaultFound("version 2 answers with the embedding of version 1")
        _expect("Version 1 of facenet is served instead of 2.", _flow(project, servers, "rollback"))
        if _answer(servers) != first:
            raise FaultFound("after the rollback version 1 does not answer")
        weights = servers.folder.mlflow.rglob("facenet.safetensors")
        stored = sorted(weights, key=lambda path: path.stat().st_mtime)
        shutil.rmtree(stored[-1].parent)
        _expect("version 1 stays", _promote(project, servers, versions[2], fails=True))
        if _answer(servers) != first:
            raise FaultFound("the failed switch changed what is served")


def _promote(project: Checkout, servers: Servers, version: int, *, fails: bool = False) -> str:
    return _flow(project, servers, "promote", "--force", "--version", str(version), fails=fails)


def _flow(project: Checkout, servers: Servers, *words: str, fails: bool = False) -> str:
    variables = {VARIABLE: str(servers.folder.path), **client_environment(servers.stack)}
    done = project.call(sys.executable, "-m", "flows.promotion", *words, env=variables)
    if bool(done.returncode) != fails:
        raise FaultFound(f"flows.promotion {' '.join(words)}: exit {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def _answer(servers: Servers) -> list[float]:
    return probe(servers.stack.settings.champion_port)


def _expect(words: str, printed: str) -> None:
    if words not in printed:
        raise FaultFound(f"expected {words!r} in:\n{printed[-3000:]}")

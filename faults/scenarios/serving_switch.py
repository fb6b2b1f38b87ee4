"""A promotion to a version that cannot be served leaves the old one; a good one is served without a gap.

Rollback is the same switch back, and answers with the first version's embedding.
"""

import shutil
import threading
from pathlib import Path
from typing import Self

from faults.errors import FaultFound
from faults.servers import Servers, running
from faults.tiny_models import make_champion, register_model
from operations.http import Unanswered, ask
from operations.probe import probe
from operations.settings import LOOPBACK
from operations.stack import client_environment, mlflow_auth


def run(folder: Path) -> None:
    """Serve version 1, fail to serve a broken version 2, serve version 3, and go back to version 1."""
    with running(folder, "--serve") as servers:
        environment = client_environment(servers.stack)
        _expect("waiting for a champion", servers.command("status"))
        _expect("No version of facenet is champion", servers.command("switch"))
        versions = [register_model(folder / f"model{seed}", seed, environment) for seed in (1, 2, 3)]
        make_champion(versions[0], environment)
        _expect("Version 1 of facenet is served", servers.command("switch"))
        first = _answer(servers)
        _remove_weights(servers, versions[1])
        make_champion(versions[1], environment)
        _expect("version 1 stays", servers.command("switch", fails=True))
        if _answer(servers) != first:
            raise FaultFound("the failed switch changed what is served")
        with _Clients(servers.stack.settings.champion_port) as clients:
            make_champion(versions[2], environment)
            _expect("Version 3 of facenet is served instead of 1", servers.command("switch"))
            if _answer(servers) == first:
                raise FaultFound("version 3 answers with the embedding of version 1")
            make_champion(versions[0], environment)
            _expect("Version 1 of facenet is served instead of 3", servers.command("switch"))
        if clients.refused or clients.answered < 20:
            raise FaultFound(f"{clients.answered} requests were answered, not: {clients.refused[:3]}")
        if _answer(servers) != first:
            raise FaultFound("after the rollback version 1 does not answer")
        print(f"   {clients.answered} requests during two switches, all answered")


def _answer(servers: Servers) -> list[float]:
    return probe(servers.stack.settings.champion_port)


def _expect(words: str, printed: str) -> None:
    if words not in printed:
        raise FaultFound(f"expected {words!r} in:\n{printed}")


def _remove_weights(servers: Servers, version: int) -> None:
    """Delete the weights of a version from the artifact store, as a careless clean-up would."""
    stack = servers.stack
    url = f"{stack.settings.mlflow_url}/api/2.0/mlflow/model-versions/get?name=facenet&version={version}"
    ask(url, auth=mlflow_auth(stack))
    stored = sorted(stack.folder.mlflow.rglob("facenet.safetensors"), key=lambda path: path.stat().st_mtime)
    if len(stored) != 3:
        raise FaultFound(f"expected the weights of three versions, got {stored}")
    shutil.rmtree(stored[version - 1].parent)


class _Clients:
    """Ask for /ping again and again while the block runs."""

    def __init__(self, port: int) -> None:
        self.answered, self.refused = 0, list[str]()
        self._url, self._over = f"http://{LOOPBACK}:{port}/ping", threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._over.wait(0.05):
            try:
                ask(self._url, seconds=30)
                self.answered += 1
            except Unanswered as reason:
                self.refused.append(str(reason))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

"""A new champion is served by a running `facenet serve` without a restart and without a failed request.

A champion whose weights are lost is not: the one before goes on answering, and the log says why.
"""

import shutil
import threading
import time
from pathlib import Path

from faults.errors import FaultFound
from faults.serving import Serving, serving
from faults.tiny_models import MODEL, make_champion, register_model, variables

CLIENTS = 4
SWITCH_SECONDS = 120.0
STORE = "MLFLOW_TRACKING_URI"


def run(folder: Path) -> None:
    """Serve version 1, make version 2 the champion under load, then version 3 without its weights."""
    environment = {STORE: f"sqlite:///{folder}/mlflow.db"}
    versions = [register_model(folder / f"model{seed}", seed, environment) for seed in (1, 2, 3)]
    make_champion(versions[0], environment)
    with serving(folder, "--model", f"models:/{MODEL}@champion", **environment) as server:
        first = str(server.embed()["model"])
        load = _Load(server)
        make_champion(versions[1], environment)
        second = load.wait_for_other(first)
        _lose(folder, versions[2], environment)
        make_champion(versions[2], environment)
        _await_log(server, "model not loaded")
        answers = load.stop()
        if str(server.embed()["model"]) != second:
            raise FaultFound("after a broken champion the one before does not answer")
    print(f"{answers} requests answered, none failed")


class _Load:
    """Clients that send requests all the time."""

    def __init__(self, server: Serving) -> None:
        self._server, self._end, self._failed = server, threading.Event(), ""
        self._seen: list[str] = []
        self._clients = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()

    def wait_for_other(self, digest: str) -> str:
        """Return the digest of another model, once one answers."""
        deadline = time.monotonic() + SWITCH_SECONDS
        while time.monotonic() < deadline and not self._failed:
            if other := next((seen for seen in reversed(self._seen) if seen != digest), None):
                return other
            time.sleep(0.1)
        self.stop()
        raise FaultFound(f"the new champion was not served within {SWITCH_SECONDS:.0f} s")

    def stop(self) -> int:
        """End the clients, and return the number of answers.

        Raises:
            FaultFound: a request failed.
        """
        self._end.set()
        for client in self._clients:
            client.join()
        if self._failed:
            raise FaultFound(f"a request failed: {self._failed}")
        return len(self._seen)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._seen.append(str(self._server.embed()["model"]))
            except (FaultFound, OSError) as error:
                self._failed = str(error)
                return


def _lose(folder: Path, version: int, environment: dict[str, str]) -> None:
    """Delete the files of a version."""
    from tasks.tracking.registry import get_version, location

    with variables(**environment):
        found = get_version(MODEL, version)
        if found is None:
            raise FaultFound(f"version {version} is not registered")
        place = location(found).removeprefix("file://")
    shutil.rmtree(folder / place)


def _await_log(server: Serving, words: str) -> None:
    deadline = time.monotonic() + SWITCH_SECONDS
    while words not in server.log.read_text():
        if time.monotonic() > deadline:
            raise FaultFound(f"the log does not say {words!r}")
        time.sleep(0.1)

"""A Prefect server with deployments and a worker, for scenarios that break one of them."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests

from faults.errors import FaultFound
from faults.project import SMALL, new_project

T = TypeVar("T")
START_SECONDS = 120.0
Sections = Mapping[str, Mapping[str, Any]]


def trained_for(epochs: int) -> Sections:
    """Return the parameters of a small network trained for some epochs of 3 to 10 s each."""
    return {**SMALL, "train": {**SMALL["train"], "epochs": epochs}}


class Night:
    """A workspace with faces ready to train on, and its servers, which scenarios may kill."""

    def __init__(self, folder: Path, sections: Sections) -> None:
        workspace = folder / "ünï wörkspace"  # a name with a space and other letters
        workspace.mkdir()
        self.project = new_project(workspace, sections)
        self._logs, self._port = folder, _free_port()
        self.url = f"http://127.0.0.1:{self._port}/api"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self) -> dict[str, str]:
        """Return the environment of the servers and of commands."""
        return {
            **self.project.environment(),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "FACENET_WORKSPACE": str(self.project.folder),
            "OMP_NUM_THREADS": "1",
        }

    def start_server(self) -> None:
        """Start the Prefect server and wait until it answers."""
        address = ("--host", "127.0.0.1", "--port", str(self._port))
        self._start("server", "prefect", "server", "start", *address)
        self.until(
            lambda: requests.get(f"{self.url}/health", timeout=5).ok, START_SECONDS, "a healthy server"
        )

    def start_worker(self) -> None:
        """Start a worker of the pool, as the supervisor does."""
        self._start("worker", "prefect", "worker", "start", "--pool", "facenet", "--type", "process")

    def kill(self, name: str) -> None:
        """Kill the server or the worker, with all of its process group: a flow run has one of its own."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_flow_in(self, module: str) -> float:
        """Kill the worker and the flow run while its stage works, such as tasks.train; return when.

        Raises:
            FaultFound: the stage does not end by itself.
        """
        stage = self.working(module)[0]
        flow = next(parent for parent in stage.parents() if "prefect.engine" in " ".join(parent.cmdline()))
        self.kill("worker")
        flow.kill()
        start = time.monotonic()
        self.until(lambda: not self.working(module), 25, "the end of the orphaned stage")
        print(f"   no process of the stage {time.monotonic() - start:.1f} s after the kill")
        return start

    def command(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command in the workspace, with its output in a pipe."""
        return subprocess.Popen(
            words,
            cwd=self.project.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def launch(self, deployment: str, **parameters: Any) -> str:
        """Start a run of FLOW/DEPLOYMENT, as the form in the UI does, and return its id."""
        found = self.ask("get", f"deployments/name/{deployment}")
        body = {"parameters": {**found["parameters"], **parameters}}
        return str(self.ask("post", f"deployments/{found['id']}/create_flow_run", body)["id"])

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the answer of Prefect's API."""
        response = requests.request(method, f"{self.url}/{path}", json=body, timeout=30)
        response.raise_for_status()
        return response.json()

    def state(self, run: str) -> str:
        """Return the name of a run's state."""
        return str(self.ask("get", f"flow_runs/{run}")["state"]["name"])

    def expect(self, run: str, state: str, seconds: float) -> float:
        """Wait until a run has a state, and return how long that took.

        Raises:
            FaultFound: it took longer, or the run ended otherwise.
        """
        start = time.monotonic()

        def reached() -> bool:
            now = self.ask("get", f"flow_runs/{run}")["state"]
            if now["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") and now["name"] != state:
                raise FaultFound(f"the run is {now['name']} instead of {state}: {now['message']}")
            return bool(now["name"] == state)

        self.until(reached, seconds, f"the state {state} of the run, which is {self.state(run)}")
        return time.monotonic() - start

    def working(self, module: str) -> list[psutil.Process]:
        """Return the processes of a stage in this workspace, such as those of tasks.train."""
        found = []
        for process in psutil.process_iter():
            try:
                if module in process.cmdline() and process.cwd() == str(self.project.folder):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue  # it ended in the meantime, or belongs to somebody else
        return found

    def until(self, holds: Callable[[], T], seconds: float, what: str) -> T:
        """Poll until `holds` is true, and return its result.

        Raises:
            FaultFound: it was not within the time.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                if result := holds():
                    return result
            except requests.RequestException:
                pass  # the server is away, or starting
            if time.monotonic() > end:
                raise FaultFound(f"waited {seconds:.0f} s for {what}")
            time.sleep(0.3)

    def versions(self) -> int:
        """Return the number of registered versions."""
        with sqlite3.connect(self.project.folder / "mlflow.db") as store:
            return int(store.execute("SELECT count(*) FROM model_versions").fetchone()[0])

    def versions_with_alias(self, alias: str) -> list[int]:
        """Return the version that has an alias, in a list, or none."""
        query = "SELECT version FROM registered_model_aliases WHERE alias = ?"
        with sqlite3.connect(self.project.folder / "mlflow.db") as store:
            return [int(number) for (number,) in store.execute(query, (alias,))]

    def close(self) -> None:
        """Kill what still runs, the flow runs included."""
        for name in list(self._running):
            self.kill(name)
        for process in psutil.process_iter():
            try:
                inside = process.cwd().startswith(str(self._logs))
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue  # it ended in the meantime, or belongs to somebody else
            if inside and process.pid != os.getpid():
                process.kill()

    def _start(self, name: str, *words: str) -> None:
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=self.project.folder,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@contextmanager
def night(folder: Path, *, epochs: int) -> Iterator[Night]:
    """Yield a workspace that is ready to train, with a server and its deployments, and a worker."""
    made = Night(folder, trained_for(epochs))
    try:
        made.start_server()
        preparing = made.command("dvc", "repro", "triplets")
        deployed = made.command(sys.executable, "-m", "flows.deploy")
        for process in (preparing, deployed):
            output, _ = process.communicate()
            if process.returncode:
                raise FaultFound(output[-3000:])
        made.start_worker()
        yield made
    finally:
        made.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

"""The servers of `make up` in a folder of a scenario, on free ports."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.errors import FaultFound
from operations.folder import VARIABLE, Folder
from operations.launch import stack_of
from operations.stack import Stack

ROOT = Path(__file__).parents[1]
PORTS = ("prefect", "mlflow", "postgresql", "control", "champion", "s3")
BLOCK = 10  # some servers use the ports after their own


class Servers:
    """Servers under a supervisor, started and asked by the commands that a user types."""

    def __init__(self, folder: Path) -> None:
        self.folder = Folder(folder)

    @property
    def stack(self) -> Stack:
        """Ports, options and passwords."""
        return stack_of(self.folder)

    def command(self, *words: str, fails: bool = False) -> str:
        """Run `python -m operations WORDS` and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "operations", *words],
            cwd=ROOT,
            env={**os.environ, VARIABLE: str(self.folder.path)},
            capture_output=True,
            text=True,
        )
        if bool(done.returncode) != fails:
            raise FaultFound(
                f"operations {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout + done.stderr


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Servers]:
    """Run `operations up` in a folder with spaces and other letters; the servers are down at the end."""
    folder.chmod(0o711)  # root: PostgreSQL runs as another user
    servers = Servers(folder / "ünï sérvers")
    try:
        servers.command("up", "--wait", "240", *port_options(), *options)
        yield servers
    finally:
        servers.command("down")


def port_options() -> list[str]:
    """Return options of `up` that choose free ports, below those that the system gives to connections."""
    return [f"--{name}-port={port}" for name, port in zip(PORTS, _free_blocks(), strict=True)]


def _free_blocks() -> list[int]:
    found: list[int] = []
    for first in range(21000 + os.getpid() % 100 * 100, 32700, BLOCK):
        if all(_is_free(port) for port in range(first, first + BLOCK)):
            found.append(first)
        if len(found) == len(PORTS):
            return found
    raise FaultFound("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        return listener.connect_ex(("127.0.0.1", port)) != 0

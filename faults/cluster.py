"""A PostgreSQL server of our own, for galleries: a new database on loopback, gone at the end."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.errors import NotPossible
from operations import postgresql
from operations.binaries import find_binaries
from operations.settings import LOOPBACK

# What docs/how-to/gallery.md asks for: old segments of the log are removed, not used again.
ERASING = {"wal_recycle": "off", "wal_keep_size": "0", "max_wal_size": "64MB", "min_wal_size": "32MB"}


@dataclass(frozen=True)
class Cluster:
    """A running server; url: of its empty database. data: the folder with all of its files."""

    url: str
    data: Path


@contextmanager
def cluster(settings: dict[str, str] = ERASING) -> Iterator[Cluster]:
    """Run a server with these settings until the block ends.

    Raises:
        NotPossible: PostgreSQL is not installed.
    """
    binaries = find_binaries()
    if binaries is None:
        raise NotPossible("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="facenet-pg-") as name:
        folder, port = Path(name), _free_port()
        user = postgresql.identity()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        create = ["initdb", "--pgdata", data, "--username", "gallery", "--no-sync", "--auth", "trust"]
        _run(binaries, [*create, "--encoding", "UTF8", "--locale", "C", "--wal-segsize", "16"], user)
        chosen = [f"-c {key}={value}" for key, value in settings.items()]
        options = " ".join([*postgresql.options(port), *chosen])
        control = ["pg_ctl", "--pgdata", data, "--wait"]
        _run(binaries, [*control, "--log", folder / "log", "--options", options, "start"], user)
        try:
            yield Cluster(f"postgresql://gallery@{LOOPBACK}:{port}/postgres", data)
        finally:
            _run(binaries, [*control, "--mode", "immediate", "stop"], user)


def _run(binaries: Path, words: Sequence[object], user: postgresql.Identity | None) -> None:
    who: dict[str, Any] = {}
    if user is not None:  # PostgreSQL refuses to run as root
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    command = [str(binaries / str(words[0])), *map(str, words[1:])]
    devnull = subprocess.DEVNULL  # not pipes: the server would hold them open
    subprocess.run(command, cwd="/", stdin=devnull, stdout=devnull, stderr=devnull, check=True, **who)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])

"""PostgreSQL in a backup: pg_dump from the running server, and pg_restore into a new cluster."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facenet.digests import file_digest
from operations import postgresql
from operations.binaries import require_binaries
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.launch import stack_of
from operations.settings import LOOPBACK, load
from operations.stack import Stack
from operations.supervision import Supervisor

DATABASES = ("mlflow", "prefect")  # each owned by the role of its name
STORE = "s3"
START_SECONDS = 60


def dump(folder: Folder, target: Path, digests: dict[str, str]) -> list[str]:
    """Dump the databases to target/databases, add their sha256 to `digests`, and return their names.

    Each dump is of one moment in time. Without PostgreSQL nothing is dumped.

    Raises:
        ServicesFailed: PostgreSQL does not run, or pg_dump failed.
    """
    if not uses_postgresql(folder):
        return []
    stack = stack_of(folder)
    if postgresql.postmaster(folder) is None:
        raise ServicesFailed("PostgreSQL is not running: start it with `make up`, then back up again.")
    (target / "databases").mkdir()
    for name in DATABASES:
        file = target / "databases" / f"{name}.dump"
        # Comments on extensions belong to the superuser: a role cannot restore them.
        _run(
            "pg_dump",
            ["--format", "custom", "--no-owner", "--no-comments", "--file", str(file), name],
            name,
            stack,
        )
        digests[f"databases/{name}.dump"] = file_digest(file)
    return list(DATABASES)


def restore(folder: Folder, dumps: Path, databases: Sequence[str]) -> None:
    """Create a cluster with the restored passwords, and fill the databases from their dumps.

    Raises:
        ServicesFailed: PostgreSQL is not installed or fails, or its port is taken.
    """
    if not databases:
        return
    stack, binaries = stack_of(folder), require_binaries(folder)
    port = stack.settings.postgresql_port
    postgresql.create_cluster(folder, stack.secrets, binaries, port)
    with _running(folder, binaries, port):
        for name in databases:
            words = ["--no-owner", "--single-transaction", "--exit-on-error", "--dbname", name]
            _run("pg_restore", [*words, str(dumps / f"{name}.dump")], name, stack)


def uses_postgresql(folder: Folder) -> bool:
    """Return whether the servers of a folder were started, and with PostgreSQL."""
    settings = load(folder)
    return settings is not None and settings.database == "postgresql"


@contextmanager
def paused_store(folder: Folder) -> Iterator[None]:
    """Stop the S3 store, if it runs, until the block ends: its files change otherwise."""
    settings = load(folder)
    if settings is None or not settings.s3:
        yield
        return
    supervisor = Supervisor(stack_of(folder))
    if not supervisor.runs() or supervisor.states()[STORE]["statename"] != "RUNNING":
        yield
        return
    supervisor.stop(STORE)
    try:
        yield
    finally:
        supervisor.start(STORE)


def _run(program: str, words: Sequence[str], role: str, stack: Stack) -> None:
    passwords = {"mlflow": stack.secrets.mlflow_database, "prefect": stack.secrets.prefect_database}
    where = [
        "--host",
        LOOPBACK,
        "--port",
        str(stack.settings.postgresql_port),
        "--username",
        role,
        "--no-password",
    ]
    command = [str(require_binaries(stack.folder) / program), *where, *words]
    env = {**os.environ, "PGPASSWORD": passwords[role]}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise ServicesFailed(f"{program} failed for the database {role}: {done.stderr.strip()[-500:]}")


@contextmanager
def _running(folder: Folder, binaries: Path, port: int) -> Iterator[None]:
    """Run the cluster until the block ends."""
    control = [str(binaries / "pg_ctl"), "--pgdata", str(folder.postgresql / "data"), "--wait"]
    log = str(folder.postgresql / "restore.log")
    start = [
        "--timeout",
        str(START_SECONDS),
        "--log",
        log,
        "--options",
        " ".join(postgresql.options(port)),
        "start",
    ]
    _control([*control, *start])
    try:
        yield
    finally:
        _control([*control, "--mode", "fast", "stop"])


def _control(command: list[str]) -> None:
    user = postgresql.identity()
    who: dict[str, Any] = {}
    if user is not None:
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    devnull = subprocess.DEVNULL  # not pipes: the server would hold them open
    done = subprocess.run(command, cwd="/", stdin=devnull, stdout=devnull, stderr=devnull, **who)
    if done.returncode:
        raise ServicesFailed(f"PostgreSQL did not {command[-1]}: see {command[2]} and the log next to it.")

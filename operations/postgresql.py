"""PostgreSQL: the user it runs as, a new cluster with our databases, and what a dead server leaves behind."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from operations.binaries import require_binaries
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.secrets import Secrets
from operations.settings import LOOPBACK
from operations.stack import Stack

INIT = Path(__file__).parent.parent / "infra" / "postgres" / "init.sql"
START_SECONDS = 60
Identity = pwd.struct_passwd


def identity() -> Identity | None:
    """Return the user that PostgreSQL runs as, None for the present one: it refuses to run as root.

    Raises:
        ServicesFailed: we are root, and the system has neither a user postgres nor nobody.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServicesFailed(
        "PostgreSQL refuses to run as root, and there is no user postgres: add --database sqlite."
    )


def become(user: Identity | None) -> None:
    """Continue this process as another user, for good."""
    if user is not None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def create_cluster(folder: Folder, secrets: Secrets, binaries: Path, port: int) -> None:
    """Create the cluster, and a role and a database each for Prefect and MLflow by infra/postgres/init.sql.

    It is created under another name and renamed at the end, so that an interrupted start leaves nothing
    that looks complete. Does nothing if the cluster exists.

    Raises:
        ServicesFailed: a program of PostgreSQL failed, or its user cannot enter the folder.
    """
    home, data = folder.postgresql, folder.postgresql / "data"
    user = identity()
    if data.exists():
        return
    home.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
    _check_reachable(home, user)
    partial = home / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    password = home / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.postgres)
    if user is not None:
        os.chown(password, user.pw_uid, user.pw_gid)
    try:
        initdb = [binaries / "initdb", "--pgdata", partial, "--username", "postgres", "--pwfile", password]
        _run([*initdb, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"], user)
    finally:
        password.unlink()
    control = [binaries / "pg_ctl", "--pgdata", partial, "--wait", "--timeout", START_SECONDS]
    _run([*control, "--log", home / "first.log", "--options", " ".join(options(port)), "start"], user)
    try:
        _create_databases(secrets, binaries, port)
    finally:
        _run([*control, "--mode", "fast", "stop"], user)
    partial.rename(data)


def server_command(stack: Stack) -> list[str]:
    """Return the command of the server.

    Raises:
        ServicesFailed: PostgreSQL is not installed any more, or in another version only.
    """
    data = str(stack.folder.postgresql / "data")
    return [
        str(require_binaries(stack.folder) / "postgres"),
        "-D",
        data,
        *options(stack.settings.postgresql_port),
    ]


def options(port: int) -> list[str]:
    """Return the arguments of postgres: TCP on loopback with passwords, and no socket in the file system.

    The path of a socket may have 107 bytes at most, which a folder of a user can exceed.
    """
    return ["-c", f"listen_addresses={LOOPBACK}", "-c", f"port={port}", "-c", "unix_socket_directories="]


def remove_stale_pid(folder: Folder) -> None:
    """Remove postmaster.pid if the process in it is not this cluster's.

    After a reboot another process of this user can have the number, and PostgreSQL would not start.
    """
    file = folder.postgresql / "data" / "postmaster.pid"
    if file.exists() and postmaster(folder) is None:
        file.unlink()


def postmaster(folder: Folder) -> psutil.Process | None:
    """Return the running server of the cluster, whoever started it."""
    data = folder.postgresql / "data"
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))
        ours = str(data) in process.cmdline()
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if ours else None


def _create_databases(secrets: Secrets, binaries: Path, port: int) -> None:
    psql = [binaries / "psql", "--no-psqlrc", "--quiet", "--host", LOOPBACK, "--port", port]
    passwords = {
        "PGPASSWORD": secrets.postgres,
        "PREFECT_DB_PASSWORD": secrets.prefect_database,
        "MLFLOW_DB_PASSWORD": secrets.mlflow_database,
    }
    connection = ["--username", "postgres", "--dbname", "postgres", "--no-password", "--file", INIT]
    _run([*psql, *connection], None, {**os.environ, **passwords})


def _check_reachable(home: Path, user: Identity | None) -> None:
    if user is None:
        return
    done = subprocess.run(["test", "-w", str(home)], user=user.pw_uid, group=user.pw_gid, extra_groups=[])
    if done.returncode:
        raise ServicesFailed(
            f"PostgreSQL runs as the user {user.pw_name}, who cannot enter {home}. Set FACENET_SERVICES to a "
            "folder that everybody can reach, run this as another user than root, or add --database sqlite."
        )


def _run(command: Sequence[Any], user: Identity | None, env: dict[str, str] | None = None) -> None:
    words = [str(word) for word in command]
    who: dict[str, Any] = {}
    if user is not None:
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+") as output:  # not a pipe: a server started here would hold it open
        done = subprocess.run(
            words, cwd="/", env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **who
        )
        output.seek(0)
        detail = " ".join(output.read().strip().splitlines()[-3:])
    if done.returncode:
        raise ServicesFailed(f"{Path(words[0]).name} of PostgreSQL failed: {detail}")

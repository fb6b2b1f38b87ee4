"""init.sql on a real PostgreSQL, if its binaries are installed."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.programs import program
from tests.servers import free_port

pytestmark = pytest.mark.server

FOLDERS = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/pgsql/bin"))
# PostgreSQL refuses to run as root.
AS = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []


def initdb(folders: Iterable[Path] = FOLDERS) -> Path:
    """Return PostgreSQL's program that creates a database; the others are next to it."""
    return program(("initdb",), package="postgresql", folders=folders)


@pytest.fixture(scope="module")
def postgres() -> Iterator[list[str]]:
    """The psql command line, as superuser, on a fresh PostgreSQL."""
    binaries = initdb().resolve().parent  # a link may stand on the PATH
    psql = program(("psql",), package="postgresql", folders=[binaries])
    port = str(free_port())
    with tempfile.TemporaryDirectory(prefix="facenet-pg") as name:  # a socket's path must be short
        folder = Path(name)
        folder.chmod(0o777)
        data = str(folder / "data")
        server = [*AS, str(binaries / "pg_ctl"), "--pgdata", data]
        create = [*AS, str(binaries / "initdb"), "--pgdata", data, "--username", "postgres", "--no-sync"]
        authentication = ["--auth-local", "trust", "--auth-host", "scram-sha-256", "--locale", "C"]
        subprocess.run([*create, *authentication], check=True, capture_output=True)
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        start = [*server, "--options", options, "--log", str(folder / "log"), "--wait", "start"]
        subprocess.run(start, check=True, capture_output=True)
        try:
            yield [str(psql), "--no-psqlrc", "--host", name, "--port", port, "--username", "postgres"]
        finally:
            subprocess.run([*server, "--mode", "immediate", "stop"], check=True, capture_output=True)


def test_each_server_has_a_role_that_owns_its_database_and_cannot_read_the_other(
    postgres: list[str], root: Path
) -> None:
    passwords = {"PREFECT_DB_PASSWORD": "it's", "MLFLOW_DB_PASSWORD": "two"}
    init = [*postgres, "--file", str(root / "infra" / "postgres" / "init.sql")]
    subprocess.run(init, check=True, capture_output=True, env={**os.environ, **passwords})

    def ask(role: str, database: str, question: str, password: str) -> subprocess.CompletedProcess[str]:
        at = [*postgres[:3], "127.0.0.1", *postgres[4:6], "--username", role, "--no-password"]
        return subprocess.run(
            [*at, "--dbname", database, "--tuples-only", "--no-align", "--command", question],
            capture_output=True,
            text=True,
            env={**os.environ, "PGPASSWORD": password},
        )

    assert ask("prefect", "prefect", "SELECT similarity('a', 'a')", "it's").stdout == "1\n"
    assert ask("prefect", "prefect", "CREATE TABLE t (x int)", "it's").returncode == 0
    assert ask("mlflow", "mlflow", "CREATE TABLE t (x int)", "two").returncode == 0
    assert "permission denied" in ask("mlflow", "prefect", "SELECT 1", "two").stderr
    assert "password authentication failed" in ask("mlflow", "mlflow", "SELECT 1", "wrong").stderr

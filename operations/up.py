"""`make up`: start what is not running, and return when all of it is healthy."""

import shlex
import sys
import time
from collections.abc import Mapping
from typing import Any

from operations import leftovers, mlflow, ports, postgresql, s3, status, supervision
from operations.binaries import find_binaries, require_binaries
from operations.errors import ServicesFailed
from operations.folder import VARIABLE, Folder, write_private
from operations.lock import exclusive
from operations.logs import last_line
from operations.programs import programs
from operations.secrets import USER, load_secrets
from operations.settings import LOOPBACK, Settings, choose, load, save
from operations.stack import Stack, client_environment
from operations.supervision import Supervisor
from operations.switch import switch

POLL_SECONDS = 0.5
DOWN = ("STOPPED", "EXITED", "FATAL")


def up(folder: Folder, options: Mapping[str, Any], wait: float) -> None:
    """Start the servers, or do nothing if they run; print their addresses.

    options: fields of Settings, None where not given.
    wait: seconds until all must be healthy.

    Raises:
        ServicesFailed: an option does not fit, a port is taken, or a server is not healthy in time.
    """
    folder.create()
    with exclusive(folder):
        before = load(folder)
        settings = _with_database(choose(options, before))
        stack = Stack(folder, settings, load_secrets(folder))
        running = Supervisor(Stack(folder, before, stack.secrets)) if before else None
        if running and running.runs():
            _check_same(settings, before)
            _start_stopped(running, stack)
            said = "The servers are up already."
        else:
            _start(stack)
            said = "The servers are up."
        _wait(stack, wait)
        if settings.serve:
            # A promotion may have happened while the servers were down.
            switch(stack, _say_change, lambda _: None)
    _say(said)
    sys.stdout.write(_addresses(stack))


def _with_database(settings: Settings) -> Settings:
    """Choose a database for a new folder: PostgreSQL, or SQLite where that is missing."""
    if settings.database:
        return settings
    found = find_binaries()
    if found is None:
        _say("PostgreSQL is not installed (Debian package postgresql): using SQLite, for one person.")
    return settings.with_database("postgresql" if found else "sqlite")


def _check_same(settings: Settings, before: Settings | None) -> None:
    if before is not None and settings != before:
        changed = settings.changes(before)
        raise ServicesFailed(f"The servers run with other settings ({changed}). Run `make down` first.")


def _start(stack: Stack) -> None:
    for killed in leftovers.end_leftovers(stack.folder):
        _say(f"Ended {killed}, left over without a supervisor.")
    settings, folder = stack.settings, stack.folder
    ports.check_free(settings)
    if settings.s3:
        s3.find_weed()
    if settings.database == "postgresql":
        binaries = require_binaries(folder)
        postgresql.create_cluster(folder, stack.secrets, binaries, settings.postgresql_port)
    save(settings, folder)
    variables = {VARIABLE: str(folder.path), **client_environment(stack)}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    write_private(folder.environment, "".join(lines))
    mlflow.write_auth_config(stack)
    supervision.start(programs(stack), stack)


def _start_stopped(supervisor: Supervisor, stack: Stack) -> None:
    states = supervisor.states()
    for program in programs(stack):
        if program.autostart and states[program.name]["statename"] in DOWN:
            supervisor.start(program.name)


def _wait(stack: Stack, seconds: float) -> None:
    start, said = time.monotonic(), set[str]()
    while True:
        rows = status.rows(stack)
        took = time.monotonic() - start
        for row in rows:
            if row.good and row.name not in said and took > 1:
                _say(f"{row.name} {row.health} after {took:.0f} s")
            said |= {row.name} if row.good else set()
        bad = [row for row in rows if not row.good]
        if rows and not bad:
            return
        if took > seconds:
            reasons = [f"{row.name}: {row.health}; {last_line(stack.folder, row.name)}" for row in bad]
            raise ServicesFailed(
                f"Not healthy within {seconds:.0f} s: {' '.join(reasons) or 'the supervisor is gone'} "
                f"See {stack.folder.logs}; `make status` shows the state, `make down` stops the rest."
            )
        time.sleep(POLL_SECONDS)


def _addresses(stack: Stack) -> str:
    settings = stack.settings
    lines = [
        f"Prefect  http://{settings.hostname}:{settings.prefect_port}",
        f"MLflow   http://{settings.hostname}:{settings.mlflow_port}",
    ]
    if settings.s3:
        lines.append(f"S3       http://{LOOPBACK}:{settings.s3_port}")
    if settings.serve:
        lines.append(f"Champion http://{LOOPBACK}:{settings.champion_port}/invocations")
    if settings.auth:
        lines.append(f"User     {USER}; the passwords are in {stack.folder.secrets}")
    source = f"source {shlex.quote(str(stack.folder.environment))}"
    if settings.auth or settings.s3:
        lines += ["", "For flows and stages in a shell, with passwords:", f"  {source}"]
    else:
        exports = [f"  export {name}={value}" for name, value in client_environment(stack).items()]
        lines += ["", f"For flows and stages in a shell ({source} does it):", *exports]
    return "\n".join(lines) + "\n"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _say_change(line: str) -> None:
    if "instead of" in line:
        _say(line)

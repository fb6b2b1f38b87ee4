"""`python -m operations run NAME`, which the supervisor starts: wait for its needs, and become the server."""

import os
import sys
import time
from contextlib import suppress

from operations import postgresql
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.health import champion_version, check
from operations.http import Unanswered
from operations.leftovers import end_orphans
from operations.programs import Program, environment, programs
from operations.secrets import load_secrets
from operations.served import Served, load_served, save_served
from operations.settings import load
from operations.stack import Stack
from operations.temporary import create_temporary_folder

POLL_SECONDS, CHAMPION_SECONDS = 0.5, 5.0


def stack_of(folder: Folder) -> Stack:
    """Return what the servers of a folder run with.

    Raises:
        ServicesFailed: they were never started.
    """
    settings = load(folder)
    if settings is None:
        raise ServicesFailed(f"{folder.path} has no servers yet: run `make up`.")
    return Stack(folder, settings, load_secrets(folder))


def find(name: str, stack: Stack) -> Program:
    """Return a program by its name.

    Raises:
        ServicesFailed: the settings do not ask for it.
    """
    chosen = {program.name: program for program in programs(stack)}
    if name not in chosen:
        raise ServicesFailed(f"{name} is not among the servers: {', '.join(chosen)}.")
    return chosen[name]


def run(name: str) -> None:
    """Replace this process by a server, once all that it needs is healthy."""
    stack = stack_of(Folder.chosen())
    program = find(name, stack)
    if program.port:
        end_orphans(stack.folder, name)
    for need in program.needs:
        while check(need, stack) != "healthy":
            time.sleep(POLL_SECONDS)
    if name.startswith("model-"):
        _wait_for_version(name.removeprefix("model-"), stack)
    command, variables = program.command(stack), dict(environment(program, stack))
    if name == "worker":
        variables["TMPDIR"] = str(create_temporary_folder(stack.folder))
    if name == "postgresql":
        postgresql.remove_stale_pid(stack.folder)
        postgresql.become(postgresql.identity())
        variables.pop("HOME", None)
        os.chdir("/")
    os.execve(command[0], command, variables)  # noqa: S606  # no shell on purpose


def _wait_for_version(slot: str, stack: Stack) -> None:
    """Return once it is decided which version a server loads: at first, the first champion."""
    said = False
    while not load_served(stack.folder).version_of(slot):
        with suppress(Unanswered):  # MLflow restarts
            if version := champion_version(stack):
                save_served(Served(slot=slot, version=version), stack.folder)
                return
        if not said:
            sys.stdout.write(f"Waiting for a champion of {stack.settings.model}.\n")
            sys.stdout.flush()
        said = True
        time.sleep(CHAMPION_SECONDS)

"""Serve the present champion: load it next to the served version, probe it, and only then replace the old."""

import time
from collections.abc import Callable
from dataclasses import replace

from operations.errors import ServicesFailed
from operations.health import champion_version
from operations.http import Unanswered, ask
from operations.logs import last_line
from operations.probe import probe
from operations.served import Served, load_served, save_served
from operations.settings import LOOPBACK
from operations.stack import Stack
from operations.supervision import Supervisor

LOAD_SECONDS, MLFLOW_SECONDS, POLL_SECONDS = 180.0, 30.0, 0.3
RUNNING = ("STARTING", "RUNNING")


def switch(stack: Stack, say: Callable[[str], None], note: Callable[[str], None]) -> None:
    """Serve the version with the alias champion; do nothing if no servers run or none serves a model.

    say: is called with what is served at the end; note: with why there is nothing to do.
    If the new version does not load or does not answer, the old one stays.

    Raises:
        ServicesFailed: it stays; the message has the reason.
    """
    supervisor = Supervisor(stack)
    if not supervisor.runs() or not stack.settings.serve:
        note(f"{stack.folder.path} serves no model (make up ARGS=--serve does): nothing to switch.")
        return
    served, version = load_served(stack.folder), _champion(stack)
    if not version:
        note(f"No version of {stack.settings.model} is champion.")
    elif not served.version:
        _wait_for_first(stack, supervisor)
        say(f"Version {load_served(stack.folder).version} of {stack.settings.model} is served.")
    elif served.version == version:
        _check_served(stack, supervisor, served)
        say(f"Version {version} of {stack.settings.model} is served already.")
    else:
        _replace(stack, supervisor, served, version)
        say(f"Version {version} of {stack.settings.model} is served instead of {served.version}.")


def _champion(stack: Stack) -> str:
    try:
        return champion_version(stack, seconds=MLFLOW_SECONDS)
    except Unanswered as reason:
        raise ServicesFailed(f"MLflow does not say which version is champion: {reason}.") from reason


def _check_served(stack: Stack, supervisor: Supervisor, served: Served) -> None:
    try:
        _wait(stack, supervisor, served.slot)
    except (Unanswered, ServicesFailed) as reason:
        raise ServicesFailed(
            f"Version {served.version} of {stack.settings.model} is champion, but does not answer: {reason}. "
            f"See {stack.folder.log(f'model-{served.slot}')}."
        ) from reason


def _replace(stack: Stack, supervisor: Supervisor, served: Served, version: str) -> None:
    name = f"model-{served.other}"
    supervisor.stop(name)
    save_served(replace(served, candidate=version), stack.folder)
    try:
        supervisor.start(name)
        _hand_over(stack, supervisor, Served(slot=served.other, version=version))
    except (Unanswered, ServicesFailed) as reason:
        save_served(replace(served, candidate=""), stack.folder)
        supervisor.stop(name)
        raise ServicesFailed(
            f"Version {version} of {stack.settings.model} is not served, version {served.version} stays: "
            f"{reason}. See {stack.folder.log(name)}."
        ) from reason
    supervisor.stop(f"model-{served.slot}")


def _hand_over(stack: Stack, supervisor: Supervisor, new: Served) -> None:
    expected = _wait(stack, supervisor, new.slot)
    save_served(new, stack.folder)
    if probe(stack.settings.champion_port) != expected:
        raise ServicesFailed(f"port {stack.settings.champion_port} does not answer with it")


def _wait_for_first(stack: Stack, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + LOAD_SECONDS
    while not load_served(stack.folder).version:
        if time.monotonic() > deadline:
            raise ServicesFailed(f"The champion is not served: {last_line(stack.folder, 'model-a')}")
        time.sleep(POLL_SECONDS)
    _check_served(stack, supervisor, load_served(stack.folder))


def _wait(stack: Stack, supervisor: Supervisor, slot: str) -> list[float]:
    """Return the embedding of a model server once it has loaded its model."""
    name, port = f"model-{slot}", stack.settings.model_port(slot)
    deadline, first = time.monotonic() + LOAD_SECONDS, supervisor.states()[name]["pid"]
    while True:
        state = supervisor.states()[name]
        if state["statename"] not in RUNNING or state["pid"] != first:  # the supervisor has started another
            raise ServicesFailed(f"it ended while loading: {last_line(stack.folder, name)}")
        try:
            ask(f"http://{LOOPBACK}:{port}/ping")
        except Unanswered as reason:
            if time.monotonic() > deadline:
                raise ServicesFailed(f"it did not load within {LOAD_SECONDS:.0f} s") from reason
            time.sleep(POLL_SECONDS)
        else:
            return probe(port)

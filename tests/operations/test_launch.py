"""A server starts once what it needs is healthy."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from operations import launch
from operations.errors import ServicesFailed
from operations.folder import NAME, VARIABLE, Folder
from operations.launch import find, run, stack_of
from operations.served import Served, load_served
from operations.settings import save
from operations.stack import Stack
from operations.temporary import remove_temporary_folder, temporary_folder
from tests.operations.conftest import Answers
from tests.operations.test_health import ALIAS

Executed = tuple[list[str], dict[str, str]]


@pytest.fixture
def executed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> list[Executed]:
    """The command and environment that `run` becomes, instead of becoming them."""
    found: list[Executed] = []
    monkeypatch.setenv(VARIABLE, str(folder.path))
    monkeypatch.setattr(os, "execve", lambda _, command, variables: found.append((command, variables)))
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.01)
    return found


def test_it_waits_for_what_it_needs_and_becomes_the_server(
    make_stack: Callable[..., Stack],
    answering: Callable[[Answers], int],
    executed: list[Executed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: Answers = {"/api/health": (200, "false"), "/health": (200, "OK")}
    port = answering(answers)
    stack = make_stack(prefect_port=port, mlflow_port=port)
    save(stack.settings, stack.folder)

    def sleep(_: float) -> None:
        assert executed == []
        answers["/api/health"] = (200, "true")

    monkeypatch.setattr(launch.time, "sleep", sleep)
    run("worker")
    ((command, variables),) = executed
    assert answers["/api/health"] == (200, "true")
    assert command[1:5] == ["-m", "prefect", "worker", "start"]
    assert Path(variables["TMPDIR"]) == temporary_folder(stack.folder)
    remove_temporary_folder(stack.folder)
    assert (variables[NAME], variables["PREFECT_API_URL"]) == ("worker", f"http://127.0.0.1:{port}/api")


def test_a_model_server_waits_for_the_first_champion_and_remembers_it(
    make_stack: Callable[..., Stack],
    answering: Callable[[Answers], int],
    executed: list[Executed],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers: Answers = {"/health": (200, "OK")}
    stack = make_stack(mlflow_port=answering(answers), serve=True)
    save(stack.settings, stack.folder)

    def sleep(_: float) -> None:
        answers[ALIAS] = (200, {"model_version": {"version": "3"}})

    monkeypatch.setattr(launch.time, "sleep", sleep)
    run("model-a")
    assert load_served(stack.folder) == Served("a", "3")
    assert "models:/facenet/3" in executed[0][0]
    assert capsys.readouterr().out == "Waiting for a champion of facenet.\n"
    del answers[ALIAS]  # a restart serves the version that was probed, whatever the alias is now
    run("model-a")
    assert "models:/facenet/3" in executed[1][0]


def test_servers_that_were_never_started_and_unknown_ones(
    folder: Folder, make_stack: Callable[..., Stack]
) -> None:
    with pytest.raises(ServicesFailed, match="run `make up`"):
        stack_of(folder)
    with pytest.raises(ServicesFailed, match="model-a is not among the servers: prefect, mlflow, worker"):
        find("model-a", make_stack())


def test_it_starts_without_heavy_imports(root: Path) -> None:
    code = (
        "import sys, operations.launch, operations.status, operations.up\n"
        "print([name for name in ('mlflow', 'prefect', 'torch', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""The switch to another version, with a supervisor that only remembers; faults/ has the real one."""

from collections.abc import Callable
from typing import Any

import pytest

from operations import switch as module
from operations.errors import ServicesFailed
from operations.http import Unanswered
from operations.served import Served, load_served, save_served
from operations.stack import Stack
from operations.switch import switch


class Remembering:
    """Stands for the supervisor: remembers what runs."""

    def __init__(self) -> None:
        self.up, self.states_of = True, {"model-a": "RUNNING", "model-b": "STOPPED"}
        self.pid, self.restarts = 1, 0

    def runs(self) -> bool:
        return self.up

    def states(self) -> dict[str, dict[str, Any]]:
        self.pid += self.restarts
        return {name: {"statename": state, "pid": self.pid} for name, state in self.states_of.items()}

    def start(self, name: str) -> None:
        self.states_of[name] = "RUNNING"

    def stop(self, name: str) -> None:
        self.states_of[name] = "STOPPED"


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Remembering:
    made = Remembering()
    monkeypatch.setattr(module, "Supervisor", lambda _: made)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "champion_version", lambda _, **__: "4")
    monkeypatch.setattr(module, "ask", lambda _: b"")
    monkeypatch.setattr(module, "probe", lambda _: [1.0])
    return made


@pytest.fixture
def served(make_stack: Callable[..., Stack]) -> Stack:
    """Version 3 is served by the server a."""
    stack = make_stack(serve=True)
    save_served(Served("a", "3"), stack.folder)
    return stack


def said(stack: Stack) -> str:
    lines: list[str] = []
    switch(stack, lines.append, lines.append)
    return "\n".join(lines)


def test_the_new_version_replaces_the_old_one(supervisor: Remembering, served: Stack) -> None:
    assert said(served) == "Version 4 of facenet is served instead of 3."
    assert load_served(served.folder) == Served("b", "4")
    assert supervisor.states_of == {"model-a": "STOPPED", "model-b": "RUNNING"}
    assert said(served) == "Version 4 of facenet is served already."


def test_a_probe_that_fails_leaves_the_old_one(
    supervisor: Remembering, served: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> list[float]:
        raise Unanswered("HTTP 500", 500)

    monkeypatch.setattr(module, "probe", fail)
    with pytest.raises(
        ServicesFailed, match=r"Version 4 .* not served, version 3 stays: HTTP 500\. See .*model-b"
    ):
        said(served)
    assert load_served(served.folder) == Served("a", "3")
    assert supervisor.states_of == {"model-a": "RUNNING", "model-b": "STOPPED"}


def test_an_answer_of_another_version_leaves_the_old_one(
    supervisor: Remembering, served: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = served.settings.champion_port
    monkeypatch.setattr(module, "probe", lambda port: [1.0 if port == door else 2.0])
    with pytest.raises(ServicesFailed, match=f"version 3 stays: port {door} does not answer with it"):
        said(served)
    assert load_served(served.folder) == Served("a", "3")
    assert supervisor.states_of == {"model-a": "RUNNING", "model-b": "STOPPED"}


def test_without_mlflow_nothing_is_switched(
    supervisor: Remembering, served: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Stack, **__: float) -> str:
        raise Unanswered("timed out")

    monkeypatch.setattr(module, "champion_version", refuse)
    with pytest.raises(ServicesFailed, match="MLflow does not say which version is champion: timed out"):
        said(served)
    assert load_served(served.folder) == Served("a", "3")


def test_a_version_that_ends_while_loading_leaves_the_old_one(
    supervisor: Remembering, served: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.folder.log("model-b").write_text("WeightsInvalid: model.json is missing\n")
    monkeypatch.setattr(supervisor, "start", lambda name: supervisor.states_of.update({name: "BACKOFF"}))
    with pytest.raises(ServicesFailed, match=r"ended while loading: WeightsInvalid: model\.json is missing"):
        said(served)
    assert load_served(served.folder) == Served("a", "3")


def test_a_version_that_is_started_again_and_again_leaves_the_old_one(
    supervisor: Remembering, served: Stack
) -> None:
    supervisor.restarts = 1
    with pytest.raises(ServicesFailed, match="it ended while loading"):
        said(served)
    assert load_served(served.folder) == Served("a", "3")


def test_a_version_that_never_loads_leaves_the_old_one(
    supervisor: Remembering, served: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> bytes:
        raise Unanswered("Connection refused")

    monkeypatch.setattr(module, "ask", refuse)
    monkeypatch.setattr(module, "LOAD_SECONDS", 0.05)
    with pytest.raises(ServicesFailed, match="it did not load within"):
        said(served)
    assert supervisor.states_of["model-b"] == "STOPPED"


def test_a_served_champion_that_does_not_answer_is_not_good(
    supervisor: Remembering, served: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_served(Served("a", "4"), served.folder)
    served.folder.log("model-a").write_text("MlflowException: no artifact\n")
    supervisor.states_of["model-a"] = "BACKOFF"
    with pytest.raises(
        ServicesFailed, match=r"does not answer: it ended while .*MlflowException: no artifact"
    ):
        said(served)


def test_results_and_notes_are_kept_apart(supervisor: Remembering, served: Stack) -> None:
    results: list[str] = []
    notes: list[str] = []
    switch(served, results.append, notes.append)
    supervisor.up = False
    switch(served, results.append, notes.append)
    assert results == ["Version 4 of facenet is served instead of 3."]
    assert len(notes) == 1


def test_there_is_nothing_to_switch_without_servers_or_champion(
    supervisor: Remembering, served: Stack, make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "serves no model" in said(make_stack(serve=False))
    monkeypatch.setattr(module, "champion_version", lambda _, **__: "")
    assert said(served) == "No version of facenet is champion."
    supervisor.up = False
    assert "serves no model" in said(served)
    assert load_served(served.folder) == Served("a", "3")

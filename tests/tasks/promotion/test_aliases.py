"""Promotion and rollback on a real store, also when they are interrupted."""

import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.promotion import aliases
from tasks.promotion.aliases import promote, roll_back, standing
from tasks.promotion.paired import DECISIONS
from tasks.promotion.record import record
from tasks.tracking import history, registry
from tasks.tracking.store import client
from tests.tasks.promotion.versions import challenge, keep, rule

pytestmark = pytest.mark.usefixtures("mlflow_store")


def test_the_champion_moves_and_a_rollback_restores_it() -> None:
    challenge(0.90)
    first = promote(rule(), by="ada")
    assert (first.action, first.champion, first.previous_champion, first.challenger) == (
        "promoted",
        1,
        None,
        1,
    )
    challenge(0.92)
    second = promote(rule())
    assert (second.action, second.champion, second.previous_champion) == ("promoted", 2, 1)
    assert second.metrics == {"1": 0.9, "2": 0.92}
    assert promote(rule()).action == "unchanged"

    back = roll_back("faces")
    assert (back.action, back.champion, back.previous_champion, back.challenger) == (
        "rolled_back",
        1,
        None,
        2,
    )
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1}
    again = promote(rule())
    assert again.refused
    assert "rolled back" in again.reason
    forced = promote(rule(), force=True)
    assert (forced.action, forced.champion, forced.previous_champion, forced.forced) == (
        "promoted",
        2,
        1,
        True,
    )
    records = [entry.record for entry in history.entries("faces")]
    said = [(record["action"], record["champion"], record["previous_champion"]) for record in records]
    assert said == [
        ("promoted", 1, None),
        ("promoted", 2, 1),
        ("rolled_back", 1, None),
        ("refused", 1, None),
        ("promoted", 2, 1),
    ]
    assert (records[0]["by"], records[1]["figures"]) == ("ada", {"1": 0.9, "2": 0.92})


def test_two_rollbacks_restore_the_champion_before_the_last_two() -> None:
    for accuracy in (0.90, 0.92, 0.95):
        challenge(accuracy)
        promote(rule())
    assert registry.aliases("faces") == {"challenger": 3, "champion": 3, "previous-champion": 2}
    assert roll_back("faces").champion == 2
    assert registry.aliases("faces") == {"challenger": 3, "champion": 2, "previous-champion": 1}
    assert roll_back("faces").champion == 1
    third = roll_back("faces")
    assert third.refused
    assert third.champion == 1


def test_newer_data_are_those_that_were_registered_later(tmp_path: Path) -> None:
    """A, B and A again: B's faces are newer than A's, A's are not newer than B's."""
    for number, data in ((1, "a"), (2, "b"), (3, "a")):
        kept = keep(DECISIONS, number, {number})
        challenge(0.975, **{**{k: v for k, v in kept.tags.items() if k != "accuracy"}, "data.aligned": data})
    default = rule(gain=0.01, margin=0.5)
    assert promote(default, number=1).champion == 1
    newer = promote(default, number=2)
    assert newer.champion == 2
    assert newer.reason.partition(" The challenger is")[0].endswith(", on newer data.")
    older = promote(default, number=3)
    assert older.refused
    assert "at least 0.01 is required" in older.reason


def test_a_preview_moves_and_records_nothing_and_a_person_may_reject() -> None:
    challenge(0.9)
    planned = promote(rule(), preview=True)
    assert (planned.action, planned.champion) == ("promoted", 1)
    assert (registry.aliases("faces"), history.entries("faces")) == ({"challenger": 1}, [])
    rejected = aliases.reject(planned, by="ada", why="too old")
    assert (rejected.action, rejected.champion, rejected.challenger) == ("refused", None, 1)
    assert rejected.reason.startswith("ada did not approve it: too old. Version 1 is the first champion")
    assert registry.aliases("faces") == {"challenger": 1}
    assert [entry.record["by"] for entry in history.entries("faces")] == ["ada"]


def test_a_refusal_moves_no_alias() -> None:
    challenge(0.92)
    promote(rule())
    challenge(0.90)
    result = promote(rule())
    assert result.refused
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1}


def test_without_a_registered_model_everything_is_refused() -> None:
    assert promote(rule()).refused
    assert roll_back("faces").refused


def test_the_standing_shows_version_metric_and_commit() -> None:
    challenge(0.9)
    promote(rule())
    assert standing("faces", "accuracy").splitlines() == [
        "alias              version   accuracy  commit",
        "champion                 1        0.9  cccccccccccc",
        "previous-champion     none",
        "challenger               1        0.9  cccccccccccc",
    ]


def test_versions_are_compared_even_if_significance_is_not_required(tmp_path: Path) -> None:
    """The comparison on 40 pairs is in the result, its reason, the receipt and the history in MLflow."""
    old, new = (keep(DECISIONS, number, wrong) for number, wrong in ((1, {0, 1, 2, 3}), (2, {9})))
    for version in (old, new):
        challenge(**{**version.tags, "accuracy": float(version.tags["accuracy"])})
        result = promote(rule())
    assert result.action == "promoted"
    assert result.paired is not None
    assert (result.paired.pairs, result.paired.only_new, result.paired.only_old) == (40, 4, 1)
    assert result.paired.in_words() in result.reason
    record(result, receipt=tmp_path / "r.json", history=tmp_path / "h.jsonl")
    assert json.loads((tmp_path / "r.json").read_text())["paired"]["only_new"] == 4
    recorded = history.entries("faces")[-1]
    assert recorded.record["paired"]["difference"] == pytest.approx(3 / 40)
    assert recorded.run.metrics()["paired/difference"] == pytest.approx(3 / 40)


def write_receipt(path: Path, number: int, model: str = "faces") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"model": model, "version": number, "digest": f"digest {number}"}))


def test_the_version_that_this_workspace_registered_is_the_challenger() -> None:
    """Parameters A, then B, then A again: DVC restores A's receipt and does not run register."""
    for number, accuracy in ((1, 0.9), (2, 0.92)):
        challenge(accuracy, digest=f"digest {number}")
    write_receipt(Path("reports/registration.json"), 1)
    result = promote(rule())
    assert (result.action, result.champion, result.challenger) == ("promoted", 1, 1)
    assert result.reason.endswith(
        "The challenger is version 1, as in reports/registration.json, instead of 2."
    )
    assert registry.aliases("faces") == {"challenger": 1, "champion": 1}
    chosen = promote(rule(), number=2)
    assert (chosen.action, chosen.champion, chosen.challenger) == ("promoted", 2, 2)
    assert "The challenger is version 2, as requested, instead of 1." in chosen.reason
    assert promote(rule(), number=9).reason == "faces has no version 9."


@pytest.mark.parametrize("receipt", [{"model": "cats"}, {"number": 7}, {"digest": "another"}])
def test_a_receipt_that_the_registry_does_not_have_is_ignored(receipt: dict[str, Any]) -> None:
    challenge(0.9, digest="digest 1")
    challenge(0.92, digest="digest 2")
    write_receipt(Path("receipt.json"), receipt.get("number", 1), receipt.get("model", "faces"))
    if "digest" in receipt:
        registry.tag_version("faces", 1, {"digest": "another"})
    assert promote(rule(), receipt=Path("receipt.json")).champion == 2


def promote_in_process(number: int | None, uri: str) -> None:
    """Promote in a process of its own, as fast as the others.

    The server that forks it may be older than this test, and has the environment of its start.
    """
    os.environ["MLFLOW_TRACKING_URI"] = uri
    promote(rule(model="raced"), number=number)


def race(numbers: list[int | None]) -> None:
    """Promote the versions at once, each in a process."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(
        [promote_in_process.__module__, "mlflow.store.model_registry.rest_store"]
    )
    started = [
        processes.Process(target=promote_in_process, args=(number, os.environ["MLFLOW_TRACKING_URI"]))
        for number in numbers
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert {process.exitcode for process in started} == {0}


@pytest.mark.server
@pytest.mark.slow
def test_ten_promotions_at_once_leave_one_winner_and_a_true_history(
    mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten versions, and then four times of the same one; each record agrees with the one before it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    accuracies = [0.90, 0.95, 0.91, 0.97, 0.92, 0.99, 0.93, 0.98, 0.94, 0.96]
    numbers = [challenge(accuracy, "raced") for accuracy in accuracies]
    race([*numbers])
    best = numbers[accuracies.index(0.99)]
    assert registry.aliases("raced")["champion"] == best
    entries = history.entries("raced")
    assert [entry.record["number"] for entry in entries] == list(range(1, 11))
    assert {entry.status for entry in entries} == {history.DONE}
    assert history.gaps([entry.record for entry in entries]) == []
    champion = None
    for entry in entries:
        if entry.record["action"] == "promoted":
            assert entry.record["previous_champion"] == champion
            champion = entry.record["champion"]
        assert entry.record["champion"] == champion
    assert registry.aliases("raced").get("previous-champion") == entries[-1].record["previous_champion"]

    last = challenge(1.0, "raced")
    race([None] * 4)
    assert registry.aliases("raced")["champion"] == last
    added = [(entry.record["action"], entry.record["champion"]) for entry in history.entries("raced")[10:]]
    assert added == [("promoted", last)]
    assert all(not model.name.startswith("raced.") for model in client().search_registered_models())


class Interruption(BaseException):
    """As a kill: no handler of errors catches it."""


def interrupt(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Any], after: int) -> bool:
    """Run an action, interrupted after its side effect number `after`; return whether it was."""
    effects: list[str] = []

    def counted(name: str, effect: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            if len(effects) == after:
                raise Interruption
            effects.append(name)
            effect(*arguments)

        return call

    with monkeypatch.context() as patched:
        for name in ("tag_version", "set_alias", "delete_alias"):
            patched.setattr(aliases, name, counted(name, getattr(registry, name)))
        try:
            action()
        except Interruption:
            return True
    return False


def three_champions(model: str) -> None:
    """Leave version 2 as champion after version 1, and version 3 as challenger."""
    for accuracy in (0.90, 0.92, 0.95):
        assert promote(rule(model=model)).action in ("promoted", "refused")
        challenge(accuracy, model)


@pytest.mark.slow
def test_an_interrupted_promotion_can_be_repeated_or_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    after, interrupted = -1, True
    while interrupted:
        after += 1
        for way_out in ("promote", "rollback"):
            model = f"faces{after}{way_out}"
            three_champions(model)
            interrupted = interrupt(monkeypatch, lambda m=model: promote(rule(model=m)), after)
            champion = registry.aliases(model)["champion"]
            assert champion == (2 if interrupted else 3), after
            if way_out == "promote":
                promote(rule(model=model))
                held = {"challenger": 3, "champion": 3, "previous-champion": 2}
                assert registry.aliases(model) == held, after
                assert [roll_back(model).champion for _ in range(2)] == [2, 1]
            else:
                assert roll_back(model).champion == champion - 1, after
    assert after >= 3  # a tag and two aliases


@pytest.mark.slow
def test_an_interrupted_rollback_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    after, interrupted = -1, True
    while interrupted:
        after += 1
        model = f"faces{after}"
        three_champions(model)
        promote(rule(model=model))
        interrupted = interrupt(monkeypatch, lambda m=model: roll_back(m), after)
        if interrupted:
            assert registry.aliases(model)["champion"] == 3, after
            roll_back(model)
        assert registry.aliases(model) == {"challenger": 3, "champion": 2, "previous-champion": 1}, after
        assert "rolled back" in promote(rule(model=model)).reason
        assert roll_back(model).champion == 1
    assert after >= 3

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from facenet.evaluation.comparison import Comparison
from tasks.params.register import PromotionParams, RegisterParams
from tasks.promotion import decision
from tasks.promotion.decision import decide, promote, record, roll_back, standing
from tasks.tracking import registry, start_run
from tasks.tracking.registry import Version
from tests.tasks.promotion.test_paired import keep

ALIKE = {"protocol": "LFW View 2", "pairs_sha256": "p" * 64, "far_target": "0.001"}


def version(number: int, **tags: str) -> Version:
    return Version("faces", number, "r" * 32, {**ALIKE, **tags}, ())


def verdict(
    new: Version | None, old: Version | None, metric: str = "accuracy", gain: float = 0.0
) -> tuple[str, str]:
    return decide(new, old, PromotionParams(metric=metric, min_gain=gain), force=False)


def rule(metric: str = "accuracy", gain: float = 0.0) -> RegisterParams:
    return RegisterParams(model="faces", gates={}, promotion=PromotionParams(metric=metric, min_gain=gain))


@pytest.mark.parametrize(
    ("metric", "new", "old", "gain", "expected"),
    [
        ("accuracy", "0.92", "0.91", 0.0, "promoted"),
        ("accuracy", "0.91", "0.91", 0.0, "promoted"),
        ("accuracy", "0.90", "0.91", 0.0, "refused"),
        ("accuracy", "0.92", "0.91", 0.02, "refused"),
        ("accuracy", "0.3", "0.2", 0.1, "promoted"),  # in floating point 0.3 - 0.2 < 0.1
        ("accuracy", "0.90", "0.91", -0.02, "promoted"),
        ("accuracy", "nan", "0.91", 0.0, "refused"),
        ("eer", "0.05", "0.08", 0.01, "promoted"),
        ("eer", "0.08", "0.05", 0.0, "refused"),
    ],
)
def test_the_gain_decides(metric: str, new: str, old: str, gain: float, expected: str) -> None:
    action, reason = verdict(version(2, **{metric: new}), version(1, **{metric: old}), metric, gain)
    assert action == expected
    assert metric in reason
    assert "champion 1" in reason


def test_the_first_champion_needs_only_the_metric() -> None:
    assert verdict(version(1, accuracy="0.7"), None)[0] == "promoted"
    assert verdict(version(1, accuracy="high"), None) == (
        "refused",
        "Version 1 has no metric 'accuracy': see register.promotion.metric.",
    )


def test_without_a_challenger_there_is_nothing_to_promote() -> None:
    action, reason = verdict(None, version(1, accuracy="0.9"))
    assert (action, reason) == ("refused", "There is no challenger. Run `dvc repro register`.")


def test_the_champion_stays_unchanged() -> None:
    assert verdict(version(1, accuracy="0.9"), version(1, accuracy="0.9"))[0] == "unchanged"


@pytest.mark.parametrize(("tag", "value"), [("protocol", "LFW View 1"), ("pairs_sha256", "q" * 64)])
def test_metrics_on_different_pairs_or_protocols_are_not_compared(tag: str, value: str) -> None:
    action, reason = verdict(version(2, accuracy="0.99", **{tag: value}), version(1, accuracy="0.9"))
    assert action == "refused"
    assert f"{tag} is {value} and {ALIKE[tag]}" in reason


def test_versions_that_do_not_name_their_pairs_are_not_compared() -> None:
    new, old = version(2, accuracy="0.99"), version(1, accuracy="0.9")
    del new.tags["pairs_sha256"], old.tags["pairs_sha256"]
    assert verdict(new, old)[0] == "refused"


def test_the_target_far_must_agree_if_the_metric_depends_on_it() -> None:
    new, old = version(2, val="0.8", accuracy="0.9", far_target="0.01"), version(1, val="0.7", accuracy="0.8")
    assert verdict(new, old, "val")[0] == "refused"
    assert verdict(new, old, "accuracy")[0] == "promoted"


def test_a_champion_without_the_metric_is_not_replaced() -> None:
    assert verdict(version(2, accuracy="0.9"), version(1))[0] == "refused"


def test_promoting_a_rolled_back_version_requires_force() -> None:
    new, old = version(2, accuracy="0.99", rolled_back="true"), version(1, accuracy="0.9")
    assert verdict(new, old)[0] == "refused"
    assert decide(new, old, PromotionParams(metric="accuracy", min_gain=0.0), force=True)[0] == "promoted"


@pytest.fixture
def challenge(mlflow_store: Path) -> Callable[[float], int]:
    """Registers a challenger with that accuracy and returns its number."""

    def save(folder: Path, model_id: str) -> None:
        folder.mkdir()
        (folder / "MLmodel").write_text(f"model_id: {model_id}\n")

    def challenge(accuracy: float, **more: str) -> int:
        tags = {**ALIKE, "accuracy": str(accuracy), "commit": "c" * 40, **more}
        made = registry.create_version(
            "faces", start_run(name="t", tags={}), save=save, tags=tags, metrics={}
        )
        registry.set_alias("faces", registry.CHALLENGER, made.number)
        return made.number

    return challenge


def test_the_champion_moves_and_a_rollback_restores_it(challenge: Callable[[float], int]) -> None:
    challenge(0.90)
    first = promote(rule())
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


def test_two_rollbacks_restore_the_champion_before_the_last_two(challenge: Callable[[float], int]) -> None:
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


def test_a_refusal_moves_no_alias(challenge: Callable[[float], int]) -> None:
    challenge(0.92)
    promote(rule())
    challenge(0.90)
    result = promote(rule())
    assert result.refused
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1}


def test_without_a_registered_model_everything_is_refused(mlflow_store: Path) -> None:
    assert promote(rule()).refused
    assert roll_back("faces").refused


def test_a_promotion_killed_halfway_can_be_run_again(
    challenge: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge(0.90)
    promote(rule())
    challenge(0.92)

    def killed(model: str, alias: str, number: int) -> None:
        registry.set_alias(model, alias, number)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(decision, "set_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(rule())
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1, "previous-champion": 1}
    assert roll_back("faces").refused
    assert promote(rule()).champion == 2
    assert roll_back("faces").champion == 1


def test_the_receipt_is_the_last_decision_and_the_history_has_all(
    challenge: Callable[[float], int], tmp_path: Path
) -> None:
    receipt, history = tmp_path / "reports" / "promotion.json", tmp_path / "reports" / "promotions.jsonl"
    challenge(0.9)
    for number, result in enumerate([promote(rule()), roll_back("faces")]):
        record(result, at=f"2026-01-0{number + 1}T00:00:00+00:00", receipt=receipt, history=history)
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    assert [(line["at"][:10], line["action"]) for line in lines] == [
        ("2026-01-01", "promoted"),
        ("2026-01-02", "refused"),
    ]
    assert json.loads(receipt.read_text()) == lines[-1]
    assert lines[0]["champion"] == 1
    assert lines[0]["figures"] == {"1": 0.9}


def test_the_standing_shows_version_metric_and_commit(challenge: Callable[[float], int]) -> None:
    challenge(0.9)
    promote(rule())
    assert standing("faces", "accuracy").splitlines() == [
        "alias              version   accuracy  commit",
        "champion                 1        0.9  cccccccccccc",
        "previous-champion     none",
        "challenger               1        0.9  cccccccccccc",
    ]


@pytest.mark.parametrize(
    ("interval", "required", "expected"),
    [
        ((0.01, 0.03), True, "promoted"),
        ((-0.01, 0.05), True, "refused"),
        ((-0.01, 0.05), False, "promoted"),
        (None, True, "refused"),
        (None, False, "promoted"),
    ],
)
def test_a_gain_may_have_to_be_significant(
    interval: tuple[float, float] | None, required: bool, expected: str
) -> None:
    paired = None
    if interval is not None:
        paired = Comparison(
            pairs=600, difference=0.02, interval=interval, only_new=20, only_old=8, p_value=0.03
        )
    gate = PromotionParams(metric="accuracy", min_gain=0.0, require_significance=required)
    action, reason = decide(
        version(2, accuracy="0.92"), version(1, accuracy="0.90"), gate, force=False, paired=paired
    )
    assert action == expected
    assert ("McNemar p 0.03" in reason) == (interval is not None)
    assert expected == "promoted" or "require_significance" in reason


def test_versions_are_compared_even_if_significance_is_not_required(
    challenge: Callable[..., int], tmp_path: Path
) -> None:
    """The comparison on 40 pairs is in the result, its reason, the receipt and the version's tags."""
    old, new = (keep(decision.DECISIONS, number, wrong) for number, wrong in ((1, {0, 1, 2, 3}), (2, {9})))
    challenge(0.90, **old.tags)
    promote(rule())
    challenge(0.975, **new.tags)
    result = promote(rule())
    assert result.action == "promoted"
    assert result.paired is not None
    assert (result.paired.pairs, result.paired.only_new, result.paired.only_old) == (40, 4, 1)
    assert result.paired.in_words() in result.reason
    record(result, at="2026-01-01T00:00:00+00:00", receipt=tmp_path / "r.json", history=tmp_path / "h.jsonl")
    assert json.loads((tmp_path / "r.json").read_text())["paired"]["only_new"] == 4
    made = registry.get_version("faces", 2)
    assert made is not None
    assert made.tags["paired_with"] == "1"
    assert float(made.tags["paired_difference"]) == pytest.approx(3 / 40)

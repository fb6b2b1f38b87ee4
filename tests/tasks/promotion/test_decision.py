"""The decision: gain, comparability, common pairs, significance."""

from pathlib import Path

import pytest

from facenet.evaluation.comparison import Comparison
from tasks.params.register import PromotionParams
from tasks.promotion.decision import MIN_COVERAGE, decide
from tasks.promotion.paired import CommonPairs, common_pairs
from tasks.tracking.registry import Version
from tests.tasks.promotion.versions import ALIKE, keep


def version(number: int, **tags: str) -> Version:
    return Version("faces", number, "r" * 32, {**ALIKE, **tags}, ())


def verdict(
    new: Version | None, old: Version | None, metric: str = "accuracy", gain: float = 0.0
) -> tuple[str, str]:
    return decide(new, old, PromotionParams(metric=metric, min_gain=gain, margin=None), force=False)


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
    common = None
    if interval is not None:
        paired = Comparison(
            pairs=600, difference=0.02, interval=interval, only_new=20, only_old=8, p_value=0.03
        )
        common = CommonPairs(pairs=600, coverage=1.0, identical=True, new={}, old={}, comparison=paired)
    gate = PromotionParams(metric="accuracy", min_gain=0.0, margin=None, require_significance=required)
    action, reason = decide(
        version(2, accuracy="0.92"), version(1, accuracy="0.90"), gate, force=False, common=common
    )
    assert action == expected
    assert ("McNemar p 0.03" in reason) == (interval is not None)
    assert expected == "promoted" or "require_significance" in reason


@pytest.mark.parametrize(
    ("difference", "interval", "newer", "expected"),
    [
        (0.0089, (-0.0067, 0.0311), False, "refused"),  # noise, which was once promoted
        (0.0089, (-0.0067, 0.0311), True, "promoted"),
        (0.0089, (-0.0167, 0.0311), True, "refused"),  # may be worse
        (0.02, (-0.0067, 0.04), False, "promoted"),
        (0.02, (-0.0167, 0.06), False, "refused"),
        (0.005, (0.002, 0.008), False, "promoted"),  # small, but certain
        (-0.002, (-0.006, 0.002), True, "promoted"),
        (-0.002, (-0.006, 0.002), False, "refused"),
        (0.02, None, True, "refused"),  # nobody knows
    ],
)
def test_the_default_rule_is_not_worse_and_better_or_on_newer_data(
    difference: float, interval: tuple[float, float] | None, newer: bool, expected: str
) -> None:
    common = None
    if interval is not None:
        paired = Comparison(
            pairs=600, difference=difference, interval=interval, only_new=20, only_old=8, p_value=0.03
        )
        common = CommonPairs(pairs=600, coverage=1.0, identical=True, new={}, old={}, comparison=paired)
    rule = PromotionParams(metric="accuracy", min_gain=0.01)
    new, old = version(2, accuracy=str(0.9 + difference)), version(1, accuracy="0.9")
    action, reason = decide(new, old, rule, force=False, common=common, newer_data=newer)
    assert action == expected, reason
    assert f"a gain of {difference:g}; " in reason
    if interval is not None:
        assert f"({interval[0]:+.4f} to {interval[1]:+.4f})" in reason
    if action == "refused":
        assert "register.promotion." in reason


def test_newer_data_are_no_excuse_where_significance_is_required() -> None:
    paired = Comparison(
        pairs=600, difference=0.001, interval=(0.0005, 0.002), only_new=9, only_old=1, p_value=0.02
    )
    common = CommonPairs(pairs=600, coverage=1.0, identical=True, new={}, old={}, comparison=paired)
    rule = PromotionParams(metric="eer", min_gain=0.0, require_significance=True)
    new, old = version(2, eer="0.2"), version(1, eer="0.1")
    assert decide(new, old, rule, force=False, common=common, newer_data=True)[0] == "refused"


def on_common_pairs(folder: Path, new: Version, old: Version, metric: str = "accuracy") -> tuple[str, str]:
    rule = PromotionParams(metric=metric, min_gain=0.0, margin=None)
    return decide(new, old, rule, force=False, common=common_pairs(new, old, folder))


def test_a_version_that_leaves_out_its_errors_is_not_better(tmp_path: Path) -> None:
    """It reports 0.99 on 98 pairs against 0.98 on 100, but the champion is right on all 98 common pairs."""
    new, old = keep(tmp_path, 2, {5}, pairs=98, total=100), keep(tmp_path, 1, {98, 99}, pairs=100)
    action, reason = on_common_pairs(tmp_path, new, old)
    assert action == "refused"
    assert "has accuracy 0.99, champion 1 has 1 on the 98 pairs that both scored: a gain of -0.01;" in reason
    better = keep(tmp_path, 2, set(), pairs=98, total=100)
    assert on_common_pairs(tmp_path, better, keep(tmp_path, 1, {5}, pairs=100))[0] == "promoted"


def test_too_few_common_pairs_are_refused(tmp_path: Path) -> None:
    new, old = keep(tmp_path, 2, set(), pairs=90, total=100), keep(tmp_path, 1, {1, 2, 3}, pairs=100)
    action, reason = on_common_pairs(tmp_path, new, old)
    assert action == "refused"
    assert f"only 90 scored pairs in common, 90.0% of all; at least {MIN_COVERAGE:.0%} are required" in reason


def test_both_may_leave_out_the_same_few_pairs(tmp_path: Path) -> None:
    new, old = (keep(tmp_path, n, wrong, pairs=99, total=100) for n, wrong in ((2, {5}), (1, {5, 7})))
    assert on_common_pairs(tmp_path, new, old)[0] == "promoted"


def test_metrics_that_common_pairs_do_not_have_are_refused(tmp_path: Path) -> None:
    new, old = keep(tmp_path, 2, set(), pairs=99, total=100), keep(tmp_path, 1, {5}, pairs=100)
    for version in (new, old):
        version.tags.update({"val": "0.9", "auc": "0.5"})
    action, reason = on_common_pairs(tmp_path, new, old, "val")
    assert action == "refused"
    assert "val is not available on common pairs, only accuracy, auc, eer" in reason
    action, reason = on_common_pairs(tmp_path, new, old, "auc")
    assert action == "promoted"
    assert "has auc 1, champion 1 has 0.98" in reason


def test_different_pairs_without_decisions_are_refused() -> None:
    new = version(2, accuracy="0.989", pairs_used="5400")
    action, reason = verdict(new, version(1, accuracy="0.9882"))
    assert action == "refused"
    assert "was scored on 5400 of 6000 pairs, champion 1 on 6000 of 6000. " in reason

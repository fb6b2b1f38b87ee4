"""The decision whether a challenger replaces the champion, by the metrics that both have as tags."""

from facenet.evaluation.comparison import Comparison
from tasks.params.register import PromotionParams, lower_is_better
from tasks.promotion.paired import COMPARABLE, DECISIONS, CommonPairs, is_complete
from tasks.tracking.registry import Version

COMPARABLE_VAL = (*COMPARABLE, "far_target")  # for the metrics that depend on it: val, val_std
# Two versions that pass the default gate (coverage 0.99) have at least this fraction of all pairs in common.
# Photos without a face are the hardest: below it the comparison would be on the easier pairs only.
MIN_COVERAGE = 0.98

ROLLED_BACK = "rolled_back"  # tag of a former champion that was rolled back
DIGITS = 9  # to which a gain is rounded, so that 0.3 - 0.2 is 0.1


def decide(
    challenger: Version | None,
    champion: Version | None,
    rule: PromotionParams,
    *,
    force: bool,
    common: CommonPairs | None = None,
    newer_data: bool = False,
) -> tuple[str, str]:
    """Return the action (promoted, unchanged or refused) and its reason as a sentence.

    common: both versions on the pairs that both scored, None if the decisions of either are not available.
    newer_data: whether the challenger's data were first registered after the champion's.
    """
    if challenger is None:
        return "refused", "There is no challenger. Run `dvc repro register`."
    name = f"Version {challenger.number}"
    if champion is not None and champion.number == challenger.number:
        return "unchanged", f"{name} is already the champion."
    if force:
        return "promoted", f"{name} is promoted by --force, without a comparison."
    if challenger.tags.get(ROLLED_BACK) == "true":
        return "refused", f"{name} was champion and was rolled back. Register another model, or use --force."
    got = challenger.metric(rule.metric)
    if got is None:
        return "refused", f"{name} has no metric {rule.metric!r}: see register.promotion.metric."
    if champion is None:
        return "promoted", f"{name} is the first champion, with {rule.metric} {got}."
    obstacle = _obstacle(challenger, champion, rule.metric, common)
    if obstacle:
        return "refused", obstacle
    return _compare(challenger, champion, rule, common, newer_data=newer_data)


def compared_metric(version: Version, metric: str, common: CommonPairs | None, which: str) -> float | None:
    """Return the metric by which a version is compared, None if it has none.

    It is the reported metric, or, if the two versions scored different pairs, the metric on common pairs.
    which: new for the challenger, old for the champion.
    """
    if common is None or common.identical:
        return version.metric(metric)
    return (common.new if which == "new" else common.old).get(metric)


def _obstacle(challenger: Version, champion: Version, metric: str, common: CommonPairs | None) -> str | None:
    """Return why two versions cannot be compared by a metric, None if they can."""
    both = f"Version {challenger.number} and champion {champion.number}"
    for tag in COMPARABLE_VAL if metric.startswith("val") else COMPARABLE:
        ours, theirs = challenger.tags.get(tag), champion.tags.get(tag)
        if ours is None or ours != theirs:
            return (
                f"{both} were evaluated differently: {tag} is {ours} and {theirs}. "
                "Register the champion's model again on the present pairs, or use --force."
            )
    if champion.metric(metric) is None:
        return f"Champion {champion.number} has no metric {metric!r} to compare with. Use --force."
    if common is None:
        return (
            None
            if is_complete(challenger) and is_complete(champion)
            else _unknown_pairs(challenger, champion)
        )
    if common.coverage < MIN_COVERAGE:
        return (
            f"{both} have only {common.pairs} scored pairs in common, {common.coverage:.1%} of all; "
            f"at least {MIN_COVERAGE:.0%} are required. Set evaluate.missing to fallback, or use --force."
        )
    if not common.identical and metric not in common.new:
        return (
            f"{both} were scored on different pairs, and {metric} is not available on common pairs, "
            f"only {', '.join(common.new)}. Change register.promotion.metric, or use --force."
        )
    return None


def _unknown_pairs(challenger: Version, champion: Version) -> str:
    def scored(version: Version) -> str:
        return f"{version.tags.get('pairs_used', '?')} of {version.tags.get('pairs_total', '?')}"

    return (
        f"Version {challenger.number} was scored on {scored(challenger)} pairs, "
        f"champion {champion.number} on {scored(champion)}. The decisions needed to compare them on common "
        f"pairs are neither in {DECISIONS} nor on their runs. Run `dvc repro` here for both, or use --force."
    )


def _compare(
    challenger: Version,
    champion: Version,
    rule: PromotionParams,
    common: CommonPairs | None,
    *,
    newer_data: bool,
) -> tuple[str, str]:
    got = compared_metric(challenger, rule.metric, common, "new")
    had = compared_metric(champion, rule.metric, common, "old")
    assert got is not None
    assert had is not None
    gain = round((had - got) if lower_is_better(rule.metric) else (got - had), DIGITS)
    where = "" if common is None or common.identical else f" on the {common.pairs} pairs that both scored"
    paired = common.comparison if common else None
    detail = paired.in_words() if paired else "the decisions of both on each pair are not available"
    reason = (
        f"Version {challenger.number} has {rule.metric} {_number(got, where)}, "
        f"champion {champion.number} has {_number(had, where)}{where}: a gain of {gain:g}; {detail}"
    )
    if lack := _lack(rule, paired, gain, newer_data=newer_data):
        return "refused", f"{reason}{lack}"
    excuse = ", on newer data" if newer_data and not gain >= rule.min_gain else ""
    return "promoted", f"{reason}{excuse}."


def _lack(rule: PromotionParams, paired: Comparison | None, gain: float, *, newer_data: bool) -> str | None:
    """Return what a challenger lacks to replace the champion, as the end of a sentence; None if nothing."""
    if rule.require_significance:
        needed, why = rule.min_gain, "register.promotion.require_significance"
    elif rule.margin is not None:
        needed, why = -rule.margin, "register.promotion.margin"
    else:
        needed, why = None, ""
    if needed is not None and paired is None:
        return (
            f", neither in {DECISIONS} nor on their runs. Run `dvc repro` here for both, or change {why}, "
            "or use --force."
        )
    if needed is not None and paired is not None and not paired.interval[0] > needed:
        return f"; the interval must be above {needed:g} ({why})."
    significant = paired is not None and rule.metric == "accuracy" and paired.interval[0] > 0
    # NaN is no gain either. Without a comparison newer data are no reason: the model may be far worse.
    excused = newer_data and needed is not None and not rule.require_significance
    if gain >= rule.min_gain or significant or excused:
        return None
    least = f"; at least {rule.min_gain:g} is required (register.promotion.min_gain)"
    return f"{least}, or an interval above 0, or newer data." if needed is not None else f"{least}."


def _number(value: float, rounded: str) -> str:
    return f"{value:.6g}" if rounded else f"{value}"

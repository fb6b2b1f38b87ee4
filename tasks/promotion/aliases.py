"""Promotion and rollback: the aliases of the registered model, and the tags that they need.

The registered model has three aliases: `challenger` (the version of the last registration), `champion`
(served) and `previous-champion` (restored by a rollback). MLflow has no history of aliases;
reports/promotions.jsonl is the history.

`champion` always moves last, in one request. What comes before it only repeats itself in a second run, so an
interrupted promotion or rollback leaves the old champion in service and is completed by running it again.
"""

from dataclasses import replace
from pathlib import Path

from tasks import paths
from tasks.params.register import RegisterParams
from tasks.promotion.decision import ROLLED_BACK, compared_metric, decide
from tasks.promotion.paired import common_pairs, comparison_tags
from tasks.promotion.receipt import registered_version
from tasks.promotion.record import PromotionResult
from tasks.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    Version,
    aliased_version,
    aliases,
    delete_alias,
    get_version,
    set_alias,
    tag_version,
)

BEFORE = "champion_before"  # tag of a champion: the version it replaced


def promote(
    params: RegisterParams, *, force: bool = False, number: int | None = None, receipt: Path | None = None
) -> PromotionResult:
    """Make the challenger the champion if `params.promotion` allows it; `force` skips the comparison.

    The challenger is version `number`, or the version in this workspace's `receipt` of the stage register, or
    the one with the alias. It gets the alias: DVC may have restored the receipt without running the stage.
    """
    challenger, note = _choose(params.model, number, receipt or paths.report("register"))
    if number is not None and challenger is None:
        return _result(params.model, "refused", f"{params.model} has no version {number}.")
    champion = aliased_version(params.model, CHAMPION)
    rule = params.promotion
    common = common_pairs(challenger, champion)
    action, reason = decide(challenger, champion, rule, force=force, common=common)
    if challenger is not None:
        if common and common.comparison and champion is not None:
            tag_version(params.model, challenger.number, comparison_tags(common.comparison, champion))
        if CHALLENGER not in challenger.aliases:
            set_alias(params.model, CHALLENGER, challenger.number)
        if action == "promoted":
            _crown(challenger, champion)
    metrics = {}
    for version, which in ((champion, "old"), (challenger, "new")):
        if version is not None and (got := compared_metric(version, rule.metric, common, which)) is not None:
            metrics[str(version.number)] = got
    result = _result(params.model, action, f"{reason}{note}")
    paired = common.comparison if common else None
    return replace(result, metric=rule.metric, metrics=metrics, forced=force, paired=paired)


def roll_back(model: str) -> PromotionResult:
    """Make the former champion the champion again; promoting the present one again then requires force."""
    champion = aliased_version(model, CHAMPION)
    former = _former(champion) if champion else None
    if champion is None or former is None:
        return _result(model, "refused", f"{model} has no previous champion to roll back to.")
    tag_version(model, champion.number, {ROLLED_BACK: "true"})
    older = _former(former)
    if older is None:
        delete_alias(model, PREVIOUS)
    else:
        set_alias(model, PREVIOUS, older.number)
    set_alias(model, CHAMPION, former.number)
    reason = f"Version {former.number} is champion again instead of {champion.number}."
    return _result(model, "rolled_back", reason)


def standing(model: str, metric: str) -> str:
    """Return a table of the aliases with their versions, metrics and commits."""
    rows = [f"{'alias':18} {'version':>7} {metric:>10}  commit"]
    for alias in (CHAMPION, PREVIOUS, CHALLENGER):
        version = aliased_version(model, alias)
        number, tags = ("none", {}) if version is None else (str(version.number), version.tags)
        rows.append(
            f"{alias:18} {number:>7} {tags.get(metric, '')[:10]:>10}  {tags.get('commit', '')[:12]}".rstrip()
        )
    return "\n".join(rows)


def _choose(model: str, number: int | None, receipt: Path) -> tuple[Version | None, str]:
    """Return the challenger, and a note for the reason if it did not have the alias."""
    aliased = aliased_version(model, CHALLENGER)
    if number is not None:
        chosen, origin = get_version(model, number), "as requested"
    else:
        registered = registered_version(receipt)
        ours = registered if registered and registered.model == model else None
        chosen, origin = ours or aliased, f"as in {receipt}"
    if chosen is None or aliased is None or aliased.number == chosen.number:
        return chosen, ""
    return chosen, f" The challenger is version {chosen.number}, {origin}, instead of {aliased.number}."


def _former(champion: Version) -> Version | None:
    """Return the version that `champion` replaced, None if there is none or it was rolled back itself."""
    before = champion.tags.get(BEFORE)
    if before is None:  # it became champion by other means than `promote`
        former = aliased_version(champion.model, PREVIOUS)
    else:
        former = get_version(champion.model, int(before)) if before else None
    if former is None or former.number == champion.number or former.tags.get(ROLLED_BACK) == "true":
        return None
    return former


def _crown(challenger: Version, champion: Version | None) -> None:
    model = challenger.model
    before = str(champion.number) if champion else ""
    tag_version(model, challenger.number, {BEFORE: before, ROLLED_BACK: "false"})
    if champion is not None:
        set_alias(model, PREVIOUS, champion.number)
    set_alias(model, CHAMPION, challenger.number)


def _result(model: str, action: str, reason: str) -> PromotionResult:
    holders = aliases(model)
    return PromotionResult(
        model=model,
        action=action,
        reason=reason,
        champion=holders.get(CHAMPION),
        previous_champion=holders.get(PREVIOUS),
        challenger=holders.get(CHALLENGER),
    )

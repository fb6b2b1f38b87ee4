"""Promotion and rollback: the aliases of the registered model, and the tags that they need.

The registered model has three aliases: `challenger` (the version of the last registration), `champion`
(served) and `previous-champion` (restored by a rollback). MLflow has no history of aliases; ours is in
tasks/promotion/ledger.py. One promotion or rollback runs at a time, on whatever machine: see
tasks/tracking/registry_lock.py for what that guarantees.

`champion` always moves last, in one request. What comes before it only repeats itself in a second run, so an
interrupted promotion or rollback leaves the old champion in service and is completed by running it again.
"""

from dataclasses import replace
from pathlib import Path

from tasks import paths
from tasks.params.register import RegisterParams
from tasks.promotion import ledger
from tasks.promotion.decision import ROLLED_BACK, compared_metric, decide
from tasks.promotion.paired import common_pairs
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
    first_version,
    get_version,
    set_alias,
    tag_version,
)
from tasks.tracking.registry_lock import registry_lock

BEFORE = "champion_before"  # tag of a champion: the version it replaced
DATA = "data.aligned"  # tag of a version: the digest of its faces


def promote(
    params: RegisterParams,
    *,
    force: bool = False,
    number: int | None = None,
    receipt: Path | None = None,
    by: str | None = None,
    preview: bool = False,
) -> PromotionResult:
    """Make the challenger the champion if `params.promotion` allows it; `force` skips the comparison.

    The challenger is version `number`, or the version in this workspace's `receipt` of the stage register, or
    the one with the alias. It gets the alias: DVC may have restored the receipt without running the stage.
    by: who decides, by default this process's user. preview: only return what would be done.
    """
    if preview:
        return _decided(params, force, number, receipt)[0]
    with registry_lock(params.model) as lock:
        ledger.settle(params.model)
        result, challenger, champion = _decided(params, force, number, receipt)
        if challenger is not None and CHALLENGER not in challenger.aliases:
            set_alias(params.model, CHALLENGER, challenger.number)
        with ledger.recorded(result, by=by) as stated:
            lock.check()
            if challenger is not None and result.action == "promoted":
                _crown(challenger, champion)
        return stated


def reject(planned: PromotionResult, *, by: str, why: str) -> PromotionResult:
    """Record that a person did not approve a promotion that the rule allows."""
    reason = f"{by} did not approve it{f': {why}' if why else ''}. {planned.reason}"
    present = _result(planned.model, "refused", reason)
    with registry_lock(planned.model):
        refusal = replace(
            planned,
            action="refused",
            reason=reason,
            champion=present.champion,
            previous_champion=present.previous_champion,
        )
        with ledger.recorded(refusal, by=by) as stated:
            return stated


def roll_back(model: str, *, by: str | None = None) -> PromotionResult:
    """Make the former champion the champion again; promoting the present one again then requires force."""
    with registry_lock(model) as lock:
        ledger.settle(model)
        champion = aliased_version(model, CHAMPION)
        former = _former(champion) if champion else None
        if champion is None or former is None:
            refusal = _result(model, "refused", f"{model} has no previous champion to roll back to.")
            with ledger.recorded(refusal, by=by) as stated:
                return stated
        older = _former(former)
        result = replace(
            _result(
                model,
                "rolled_back",
                f"Version {former.number} is champion again instead of {champion.number}.",
            ),
            champion=former.number,
            previous_champion=older.number if older else None,
        )
        with ledger.recorded(result, by=by) as stated:
            lock.check()
            tag_version(model, champion.number, {ROLLED_BACK: "true"})
            if older is None:
                delete_alias(model, PREVIOUS)
            else:
                set_alias(model, PREVIOUS, older.number)
            set_alias(model, CHAMPION, former.number)
        return stated


def _decided(
    params: RegisterParams, force: bool, number: int | None, receipt: Path | None
) -> tuple[PromotionResult, Version | None, Version | None]:
    """Return the decision, whose aliases are those after it, and the versions it is about."""
    model, rule = params.model, params.promotion
    challenger, note = _choose(model, number, receipt or paths.report("register"))
    if number is not None and challenger is None:
        return _result(model, "refused", f"{model} has no version {number}."), None, None
    champion = aliased_version(model, CHAMPION)
    common = common_pairs(challenger, champion)
    newer = _has_newer_data(challenger, champion)
    action, reason = decide(challenger, champion, rule, force=force, common=common, newer_data=newer)
    metrics = {}
    for version, which in ((champion, "old"), (challenger, "new")):
        if version is not None and (got := compared_metric(version, rule.metric, common, which)) is not None:
            metrics[str(version.number)] = got
    result = replace(
        _result(model, action, f"{reason}{note}"),
        metric=rule.metric,
        metrics=metrics,
        forced=force,
        paired=common.comparison if common else None,
    )
    if challenger is not None:
        result = replace(result, challenger=challenger.number)
    if challenger is not None and action == "promoted":
        before = champion.number if champion else result.previous_champion
        result = replace(result, champion=challenger.number, previous_champion=before)
    return result, challenger, champion


def _has_newer_data(challenger: Version | None, champion: Version | None) -> bool:
    """Return whether the challenger's faces were first registered after the champion's."""
    if challenger is None or champion is None:
        return False
    new, old = (
        first_version(version.model, DATA, version.tags[DATA]) if DATA in version.tags else None
        for version in (challenger, champion)
    )
    return new is not None and old is not None and new > old


def standing(model: str, metric: str) -> str:
    """Return a table of the aliases with their versions, metrics and commits."""
    rows = [f"{'alias':18} {'version':>7} {metric:>10}  commit"]
    for alias in (CHAMPION, PREVIOUS, CHALLENGER):
        version = aliased_version(model, alias)
        number, tags = ("none", {}) if version is None else (str(version.number), version.tags)
        value = None if version is None else version.metric(metric)
        text = "" if value is None else f"{value:.6g}"
        rows.append(f"{alias:18} {number:>7} {text:>10}  {tags.get('commit', '')[:12]}".rstrip())
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

"""Promotion and rollback, decided by the metrics that the versions have as tags.

The registered model has three aliases: `challenger` (registered last), `champion` (served) and
`previous-champion` (restored by a rollback). MLflow has no history of aliases; reports/promotions.jsonl is
the history.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from facenet.evaluation.comparison import Comparison
from tasks import paths
from tasks.params.register import PromotionParams, RegisterParams, lower_is_better
from tasks.promotion.paired import COMPARABLE, DECISIONS, compare_versions, comparison_tags
from tasks.reports import strict, write_report
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

COMPARABLE_VAL = (*COMPARABLE, "far_target")  # for the metrics that depend on it: val, val_std
BEFORE = "champion_before"  # tag of a champion: the version it replaced
ROLLED_BACK = "rolled_back"  # tag of a former champion that was rolled back
DIGITS = 9  # to which a gain is rounded, so that 0.3 - 0.2 is 0.1

RECEIPT = paths.REPORTS / "promotion.json"
HISTORY = paths.REPORTS / "promotions.jsonl"


@dataclass(frozen=True, kw_only=True)
class PromotionResult:
    """The result of a promotion or rollback.

    action: promoted, unchanged (already the champion), rolled_back or refused.
    champion, previous_champion, challenger: version numbers afterwards, None if there is none.
    metrics: the compared metric by version number.
    paired: the pair-by-pair comparison of challenger and champion, None if the decisions of either are
    missing.
    """

    model: str
    action: str
    reason: str
    champion: int | None = None
    previous_champion: int | None = None
    challenger: int | None = None
    metric: str | None = None
    metrics: dict[str, float] | None = None
    paired: Comparison | None = None
    forced: bool = False

    @property
    def refused(self) -> bool:
        """Whether the requested action was refused."""
        return self.action == "refused"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON; the key of `metrics` is `figures`, as in every earlier receipt."""
        values = asdict(self)
        return {{"metrics": "figures"}.get(name, name): value for name, value in values.items()}


def promote(params: RegisterParams, *, force: bool = False) -> PromotionResult:
    """Make the challenger the champion if `params.promotion` allows it; `force` skips the comparison."""
    challenger = aliased_version(params.model, CHALLENGER)
    champion = aliased_version(params.model, CHAMPION)
    rule = params.promotion
    paired = compare_versions(challenger, champion)
    action, reason = decide(challenger, champion, rule, force=force, paired=paired)
    if paired is not None and challenger is not None and champion is not None:
        tag_version(params.model, challenger.number, comparison_tags(paired, champion))
    if action == "promoted" and challenger is not None:
        _crown(challenger, champion)
    metrics = {}
    for version in (champion, challenger):
        if version is not None and (got := _metric_of(version, rule.metric)) is not None:
            metrics[str(version.number)] = got
    result = _result(params.model, action, reason, metric=rule.metric, metrics=metrics, forced=force)
    return replace(result, paired=paired)


def roll_back(model: str) -> PromotionResult:
    """Make the former champion the champion again; promoting the present one again then requires force."""
    champion, former = aliased_version(model, CHAMPION), aliased_version(model, PREVIOUS)
    if champion is None or former is None or champion.number == former.number:
        return _result(model, "refused", f"{model} has no previous champion to roll back to.")
    tag_version(model, champion.number, {ROLLED_BACK: "true"})
    set_alias(model, CHAMPION, former.number)
    before = former.tags.get(BEFORE)
    older = get_version(model, int(before)) if before else None
    if older is None or older.tags.get(ROLLED_BACK) == "true":
        delete_alias(model, PREVIOUS)
    else:
        set_alias(model, PREVIOUS, older.number)
    reason = f"Version {former.number} is champion again instead of {champion.number}."
    return _result(model, "rolled_back", reason)


def decide(
    challenger: Version | None,
    champion: Version | None,
    rule: PromotionParams,
    *,
    force: bool,
    paired: Comparison | None = None,
) -> tuple[str, str]:
    """Return the action (promoted, unchanged or refused) and its reason as a sentence."""
    if challenger is None:
        return "refused", "There is no challenger. Run `dvc repro register`."
    name = f"Version {challenger.number}"
    if champion is not None and champion.number == challenger.number:
        return "unchanged", f"{name} is already the champion."
    if force:
        return "promoted", f"{name} is promoted by --force, without a comparison."
    if challenger.tags.get(ROLLED_BACK) == "true":
        return "refused", f"{name} was champion and was rolled back. Register another model, or use --force."
    got = _metric_of(challenger, rule.metric)
    if got is None:
        return "refused", f"{name} has no metric {rule.metric!r}: see register.promotion.metric."
    if champion is None:
        return "promoted", f"{name} is the first champion, with {rule.metric} {got}."
    return _compare(challenger, champion, rule, got, paired)


def _compare(
    challenger: Version, champion: Version, rule: PromotionParams, got: float, paired: Comparison | None
) -> tuple[str, str]:
    new, old = f"Version {challenger.number}", f"champion {champion.number}"
    had = _metric_of(champion, rule.metric)
    for tag in COMPARABLE_VAL if rule.metric.startswith("val") else COMPARABLE:
        ours, theirs = challenger.tags.get(tag), champion.tags.get(tag)
        if ours is None or ours != theirs:
            return "refused", (
                f"{new} and {old} were evaluated differently: {tag} is {ours} and {theirs}. "
                "Register the champion's model again on the present pairs, or use --force."
            )
    if had is None:
        return "refused", f"The {old} has no metric {rule.metric!r} to compare with. Use --force."
    gain = round((had - got) if lower_is_better(rule.metric) else (got - had), DIGITS)
    reason = f"{new} has {rule.metric} {got}, {old} has {had}: a gain of {gain:g}"
    detail = paired.in_words() if paired else "the decisions of both on each pair are not available"
    reason = f"{reason}; {detail}"
    if gain >= rule.min_gain:
        return _significant(rule, paired, reason) if rule.require_significance else ("promoted", f"{reason}.")
    return "refused", f"{reason}; at least {rule.min_gain:g} is required (register.promotion.min_gain)."


def _significant(rule: PromotionParams, paired: Comparison | None, reason: str) -> tuple[str, str]:
    if paired is None:
        return "refused", (
            f"{reason}, neither in {DECISIONS} nor on their runs. Run `dvc repro` here for both, or set "
            "register.promotion.require_significance to false."
        )
    if paired.interval[0] > rule.min_gain:
        return "promoted", f"{reason}."
    required = f"{rule.min_gain:g} (register.promotion.require_significance)"
    return "refused", f"{reason}; the interval must be above {required}."


def _metric_of(version: Version, metric: str) -> float | None:
    try:
        return float(version.tags[metric])
    except (KeyError, ValueError):
        return None


def _crown(challenger: Version, champion: Version | None) -> None:
    """Move the aliases, `champion` last: if interrupted, the old champion is still served."""
    model = challenger.model
    before = str(champion.number) if champion else ""
    tag_version(model, challenger.number, {BEFORE: before, ROLLED_BACK: "false"})
    if champion is not None:
        set_alias(model, PREVIOUS, champion.number)
    set_alias(model, CHAMPION, challenger.number)


def _result(
    model: str,
    action: str,
    reason: str,
    *,
    metric: str | None = None,
    metrics: dict[str, float] | None = None,
    forced: bool = False,
) -> PromotionResult:
    holders = aliases(model)
    return PromotionResult(
        model=model,
        action=action,
        reason=reason,
        champion=holders.get(CHAMPION),
        previous_champion=holders.get(PREVIOUS),
        challenger=holders.get(CHALLENGER),
        metric=metric,
        metrics=metrics,
        forced=forced,
    )


def record(result: PromotionResult, *, at: str, receipt: Path = RECEIPT, history: Path = HISTORY) -> None:
    """Write the receipt and append it to the history; `at` is the time in ISO 8601."""
    line = {"at": at, **result.to_dict()}
    write_report(receipt, line)
    with history.open("a", encoding="utf-8") as file:
        file.write(json.dumps(strict(line), ensure_ascii=False, allow_nan=False) + "\n")


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

"""The history of promotions that all workspaces share: who, when, why, with which metrics.

It is in MLflow (tasks/tracking/history.py), so it survives the workspace. A decision is recorded before the
alias moves, and marked as done afterwards; what a killed process left open is settled by the next decision.
"""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tasks.promotion.record import PromotionResult
from tasks.reports import strict
from tasks.tracking import history
from tasks.tracking.registry import CHAMPION, aliases, get_version


@contextmanager
def recorded(result: PromotionResult, *, by: str | None = None) -> Iterator[PromotionResult]:
    """Record a decision, and mark it as done at the end of the block, in which the aliases move.

    Yields the result with its time, its author and its number in the history. A decision that changes nothing
    is not recorded.
    """
    stated = replace(result, at=datetime.now(UTC).isoformat(timespec="seconds"), by=by or whoami())
    if result.action == "unchanged":
        yield stated
        return
    entry = history.begin(_record(stated), metrics=_metrics(stated))
    yield replace(stated, number=entry.record["number"])
    entry.run.end(history.DONE)


def settle(model: str) -> None:
    """Mark what a killed process left open: as done if its champion has the alias, else as interrupted."""
    champion = aliases(model).get(CHAMPION)
    for entry in history.entries(model):
        if entry.status == history.OPEN:
            entry.run.end(history.DONE if entry.record["champion"] == champion else history.INTERRUPTED)


def table(model: str) -> str:
    """Return the history as text, one decision per line, and what is wrong with it."""
    found = history.entries(model)
    lines = [f"{'number':>6}  {'at':25}  {'action':11}  {'champion':>8}  by, reason"]
    for entry in found:
        record = entry.record
        state = "" if entry.status == history.DONE else " (not completed)"
        champion = "none" if record["champion"] is None else record["champion"]
        lines.append(
            f"{record['number']:>6}  {record['at']:25}  {record['action']:11}  {champion:>8}  "
            f"{record['by']}: {record['reason']}{state}"
        )
    return "\n".join([*lines, *history.gaps([entry.record for entry in found])])


def whoami() -> str:
    """Return the user and machine of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def _record(result: PromotionResult) -> dict[str, Any]:
    """Return a record: the result, and the digests of the versions, by which a new server knows them."""
    values = {name: value for name, value in result.to_dict().items() if name != "number"}
    named = sorted({n for n in (result.champion, result.previous_champion, result.challenger) if n})
    versions = {number: get_version(result.model, number) for number in named}
    digests = {str(number): found.tags.get("digest", "") for number, found in versions.items() if found}
    return strict({**values, "digests": digests})


def _metrics(result: PromotionResult) -> dict[str, float]:
    metrics = {f"{result.metric}/version {number}": value for number, value in (result.metrics or {}).items()}
    if result.paired is not None:
        low, high = result.paired.interval
        paired = {"difference": result.paired.difference, "low": low, "high": high}
        metrics |= {f"paired/{name}": value for name, value in paired.items()}
    return metrics

"""Decisions without a reviewer, for suspicions that are probable enough."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tasks.audit.suspects import DUPLICATE, MERGED, OUTLIER, SPLIT_PERSON, Suspect
from tasks.labels.decision import MERGE, Decision
from tasks.labels.decisions import append_decisions

WHO = "facenet audit"
KINDS = (OUTLIER, SPLIT_PERSON, MERGED, DUPLICATE)  # the others are not errors of a name


def decide(path: Path, suspects: Sequence[Suspect], least: float) -> list[Decision]:
    """Add the suggested decisions of suspects at least so probable to the file, and return them.

    Of identities that are one person, the one with the most pairs of photos to gain takes all.

    Raises:
        DataInvalid: the file is not valid, or somebody else has decided otherwise meanwhile.
    """
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    chosen = [suspect for suspect in suspects if suspect.kind in KINDS and suspect.probability >= least]
    decisions = [
        Decision(
            s.digest, s.identity, s.action, s.target, WHO, when, f"{s.kind}, probability {s.probability:.2f}"
        )
        for s in [*_without_rings(s for s in chosen if s.action == MERGE), *(s for s in chosen if s.digest)]
    ]
    if decisions:
        append_decisions(path, decisions)
    return decisions


def _without_rings(merges: Iterable[Suspect]) -> list[Suspect]:
    """Return merges of which each identity has one at most, and that lead in no circle; the first counts."""
    into: dict[str, str] = {}
    kept = []
    for suspect in merges:
        end = suspect.target
        while end in into:
            end = into[end]
        if suspect.identity not in into and end != suspect.identity:
            into[suspect.identity] = suspect.target
            kept.append(suspect)
    return kept

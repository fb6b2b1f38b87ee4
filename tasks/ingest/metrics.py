"""The metrics in reports/ingest.json."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.ingest.records import Record
from tasks.ingest.roles import Roles
from tasks.ingest.sources.opened import THRESHOLD_FOLD
from tasks.reports import Meter

SHOWN = 20  # names per list


def metrics(
    records: Sequence[Record],
    pairs: Sequence[Mapping[str, Any]],
    roles: Roles,
    meter: Meter,
    *,
    spellings: Sequence[str] = (),
    repeated: int = 0,
) -> dict[str, Any]:
    """Return the metrics in reading order.

    spellings: see `unite_spellings`. repeated: the number of pairs left out by `distinct`.
    """
    report: dict[str, Any] = {}
    if roles.overlapping:
        report["WARNING"] = (
            f"{len(roles.overlapping)} PEOPLE ARE IN TRAINING AND IN EVALUATION: THE ACCURACY SAYS "
            "NOTHING ABOUT UNSEEN PEOPLE. SEE ingest.allow_identity_overlap."
        )
    return report | {
        **_counts(records),
        "train": _role_counts(records, "train"),
        "evaluate": _role_counts(records, "evaluate"),
        "rejected": rejected(records),
        "excluded_identities": _people(roles.excluded),
        "overlapping_identities": _people(roles.overlapping),
        "held_out_identities": _people(roles.held_out),
        "conflicting_identities": _people(roles.conflicting),
        "spellings": _people(spellings),
        "pairs": _pair_metrics(pairs) | {"repeated": repeated} | _photos_in_pairs(records, pairs),
        "sources": {
            source: _counts([record for record in records if record.source == source])
            for source in dict.fromkeys(record.source for record in records)
        },
        "seconds": round(meter.seconds, 1),
        "images_per_second": meter.rate(len(records)),
        "peak_memory_mb": meter.peak_memory_mb,
    }


def rejected(records: Sequence[Record]) -> dict[str, int]:
    """Return the number of rejected files by status, most frequent first."""
    counts = Counter(record.status for record in records if not record.kept)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _counts(records: Sequence[Record]) -> dict[str, int]:
    kept = [record for record in records if record.kept]
    people = {record.identity for record in kept}
    return {"found": len(records), "kept": len(kept), "identities": len(people)}


def _role_counts(records: Sequence[Record], role: str) -> dict[str, int]:
    people = [record.identity for record in records if record.kept and record.role == role]
    return {"images": len(people), "identities": len(set(people))}


def _people(names: Sequence[str]) -> dict[str, Any]:
    return {"count": len(names), "names": list(names[:SHOWN])}


def _pair_metrics(pairs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    scored = [pair for pair in pairs if pair["fold"] != THRESHOLD_FOLD]
    missing = sum(pair["left"] is None or pair["right"] is None for pair in pairs)
    return {
        "scored": len(scored),
        "same": sum(pair["same"] for pair in scored),
        "different": sum(not pair["same"] for pair in scored),
        "folds": len({pair["fold"] for pair in scored}),
        "threshold": len(pairs) - len(scored),
        "with_a_photo_missing": missing,
    }


def _photos_in_pairs(records: Sequence[Record], pairs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    used = {pair[side] for pair in pairs for side in ("left", "right")} - {None}
    evaluated = {record.image_id for record in records if record.kept and record.role == "evaluate"}
    return {"photos": len(used), "evaluated_photos_left_out": len(evaluated - used)}

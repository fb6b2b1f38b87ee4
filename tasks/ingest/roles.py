"""Decide who trains, who is evaluated, and which of several photos with the same bytes is kept."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from tasks.ingest.records import Record, folded
from tasks.params.ingest import HeldOut

SHOWN = 5  # names in a message

logger = logging.getLogger(__name__)


class Roles(NamedTuple):
    """The decisions, as sorted names of people.

    excluded: removed from training because they are evaluated. overlapping: in training and evaluated.
    held_out: people of role split chosen for evaluation. conflicting: groups of people, such as "Ann = Bob",
    under whose names the same photo was found.
    """

    excluded: list[str]
    overlapping: list[str]
    held_out: list[str]
    conflicting: Sequence[str] = ()


def decide_roles(
    records: Sequence[Record],
    scored: Collection[str],
    *,
    held_out: HeldOut,
    seed: int,
    allow_overlap: bool,
) -> Roles:
    """Decide role and status of all records, given in the order of sources and paths.

    People of role `split` train if any source has people of role `evaluate`; otherwise `held_out` of those
    with at least two photos (see `held_out_count`), chosen by seeded hash, are evaluated. People evaluated in
    any source or named in a scored pair (`scored`, folded names) do not train, unless `allow_overlap`. Of
    equal bytes of one person one photo is kept, preferably an evaluated one; of equal bytes of several people
    none, since nobody knows whose photo it is.
    """
    conflicting = _reject_conflicts(records)
    evaluated = {folded(r.identity) for r in records if r.identity is not None and r.role == "evaluate"}
    chosen: set[str] = set()
    if not evaluated:
        chosen = _choose(records, held_out, seed)
        evaluated = {folded(name) for name in chosen}
    clash = set()
    for record in records:
        if record.identity is None:
            continue
        if record.role == "split":
            record.role = "evaluate" if record.identity in chosen else "train"
        if record.role == "train" and (
            folded(record.identity) in evaluated or folded(record.identity) in scored
        ):
            clash.add(record.identity)
            if record.kept and not allow_overlap:
                record.reject("excluded_identity", "A person of this name is evaluated.")
    _reject_duplicates(records)
    names = sorted(clash)
    return Roles([] if allow_overlap else names, names if allow_overlap else [], sorted(chosen), conflicting)


def held_out_count(people: int, requested: HeldOut) -> int:
    """Return how many of `people`, each with at least two photos, are held out: never more than half.

    auto: a quarter up to 100 people, or a tenth up to 500 if that is more; at least 4, which make two folds.
    The number of people bounds the false accept rates that can be measured, not the number of photos or
    pairs: 100 people make 4,950 pairs of different people, 500 make 124,750. More would take people from
    training for rates that few need.
    """
    auto = max(min(people // 4, 100), min(people // 10, 500), 4)
    return min(auto if requested == "auto" else requested, people // 2)


def _choose(records: Iterable[Record], held_out: HeldOut, seed: int) -> set[str]:
    """Return the people to hold out, ordered by a hash of the name: adding people changes few choices."""
    owners = {r.image_id: r.identity for r in reversed(list(records)) if r.kept and r.role == "split"}
    able = [name for name, photos in Counter(owners.values()).items() if name is not None and photos > 1]
    able.sort(key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    return set(able[: held_out_count(len(able), held_out)])


def _reject_conflicts(records: Iterable[Record]) -> list[str]:
    """Reject photos with the same bytes as one of another person; return these groups of people, sorted."""
    copies: defaultdict[str | None, list[Record]] = defaultdict(list)
    for record in records:
        if record.kept and record.identity is not None:
            copies[record.image_id].append(record)
    groups = set()
    for same in copies.values():
        if len({folded(record.identity or "") for record in same}) > 1:
            people = sorted({record.identity or "" for record in same})
            groups.add(" = ".join(people))
            for record in same:
                record.reject("conflicting_identity", _conflict(record, same, people))
    if groups:
        found = sorted(groups)
        logger.warning(
            "The same photo was found under different names, and is not used: %s%s. Keep the right copy.",
            "; ".join(found[:SHOWN]),
            f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "",
        )
    return sorted(groups)


def _conflict(record: Record, same: Sequence[Record], people: Sequence[str]) -> str:
    other = next(copy for copy in same if folded(copy.identity or "") != folded(record.identity or ""))
    return f"The same bytes as {other.place}, but the people are {' and '.join(people)}: keep the right copy."


def _reject_duplicates(records: Sequence[Record]) -> None:
    first: dict[str | None, Record] = {}
    for record in sorted((r for r in records if r.kept), key=lambda record: record.role != "evaluate"):
        if record.image_id in first:
            record.reject("duplicate", f"The same bytes as {first[record.image_id].place}.")
        else:
            first[record.image_id] = record

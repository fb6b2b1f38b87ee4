"""Who trains, who is evaluated, and which photo stays of several with the same bytes."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from tasks.ingest.records import Record, folded


class Roles(NamedTuple):
    """What was decided: names of people, sorted.

    excluded: were to train and are evaluated. overlapping: train although they are evaluated. held_out: were
    left to this stage, and are evaluated.
    """

    excluded: list[str]
    overlapping: list[str]
    held_out: list[str]


def decide_roles(
    records: Sequence[Record], scored: Collection[str], *, held_out: int, seed: int, allow_overlap: bool
) -> Roles:
    """Settle role and status of all records, which come in the order of sources and paths.

    People of role `split` train if somebody is evaluated already; else `held_out` of them with two photos or
    more, half of those at most, chosen by seeded hash, are evaluated. Who is evaluated anywhere, or named in
    a scored pair (`scored`, folded names), trains nowhere, unless `allow_overlap`. Of equal bytes one photo
    is kept, an evaluated one if there is any.
    """
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
                record.reject("excluded_identity", "The same person, by name, is evaluated.")
    _reject_duplicates(records)
    names = sorted(clash)
    return Roles([] if allow_overlap else names, names if allow_overlap else [], sorted(chosen))


def _choose(records: Iterable[Record], held_out: int, seed: int) -> set[str]:
    """Return names of people to hold out; the hash of a name, so that who else is there changes little."""
    owners = {r.image_id: r.identity for r in reversed(list(records)) if r.kept and r.role == "split"}
    able = [name for name, photos in Counter(owners.values()).items() if name is not None and photos > 1]
    able.sort(key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    return set(able[: min(held_out, len(able) // 2)])


def _reject_duplicates(records: Sequence[Record]) -> None:
    first: dict[str | None, Record] = {}
    for record in sorted((r for r in records if r.kept), key=lambda record: record.role != "evaluate"):
        if record.image_id in first:
            record.reject("duplicate", f"The same bytes as {first[record.image_id].place}.")
        else:
            first[record.image_id] = record

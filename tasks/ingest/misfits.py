"""Decisions that do not fit the photos: of unknown photos and identities, or to the wrong ones."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from tasks.ingest.records import Record, folded
from tasks.labels.decision import SPLIT, TARGETED, Decision
from tasks.labels.routes import NameKey, Route


def misfits(
    records: Sequence[Record], decisions: Sequence[Decision], routes: Iterable[Route], key: NameKey
) -> Iterator[str]:
    """Yield a line for each decision that does not fit the photos, with the line of the file.

    records: before the decisions are applied. routes: of these records. key: see `Routes`.
    """
    names = _Names(records, decisions, key)
    owners: defaultdict[str | None, dict[str, None]] = defaultdict(dict)  # ordered, without repetition
    for record in records:
        if record.identity is not None:
            owners[record.image_id][record.identity] = None
    reached = {(d.digest, key(d.identity)) for route in routes for d in route.decisions}
    for decision in decisions:
        problems = list(names.problems(decision))
        if decision.digest and (decision.digest, key(decision.identity)) not in reached:
            problems.append(_not_theirs(decision, owners.get(decision.digest, {})))
        yield from (f"  line {decision.line}: {problem}" for problem in problems)


class _Names:
    """The identities that photos have, and those that splits make."""

    def __init__(self, records: Iterable[Record], decisions: Iterable[Decision], key: NameKey) -> None:
        names = {record.identity for record in records if record.identity is not None}
        made = [decision.target for decision in decisions if decision.action == SPLIT]
        self._key = key
        self._present = {key(name) for name in names}
        self._all = self._present | {key(name) for name in made}
        self._spelled: dict[str, str] = {}  # the first spelling of each name
        for name in [*sorted(names), *made]:
            self._spelled.setdefault(folded(name), name)

    def problems(self, decision: Decision) -> Iterator[str]:
        """Yield what is wrong with the target of a decision, and with the identity of a merge."""
        target = decision.target
        if decision.action == SPLIT:
            first = self._spelled[folded(target)]
            if self._key(target) in self._present:
                yield f"split makes a new identity, but there is a person called {target!r}. Use move."
            elif self._key(first) != self._key(target):
                yield f"{target!r} differs from {first!r} only in spelling. Use another name."
            return
        needed = [target] if decision.action in TARGETED or decision.apart else []
        if not decision.digest:
            needed.append(decision.identity)
        for name in needed:
            if self._key(name) not in self._all:
                yield self._missing(name)

    def _missing(self, name: str) -> str:
        if (first := self._spelled.get(folded(name))) is not None:
            return f"there is no identity {name!r}; it is spelled {first!r}."
        return f"there is no identity {name!r}. Only split makes a new one."


def _not_theirs(decision: Decision, owners: Collection[str]) -> str:
    if not owners:
        return f"no photo of a person has the digest {decision.digest}."
    people = " and ".join(map(repr, owners))
    return f"photo {decision.digest[:12]} is of {people}, not of {decision.identity!r}."

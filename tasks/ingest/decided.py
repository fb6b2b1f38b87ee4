"""Apply decisions to the records: photos are dropped, moved and merged in the manifest; files stay."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from facenet.errors import DataInvalid
from tasks.ingest.misfits import misfits
from tasks.ingest.records import Record, folded
from tasks.labels.contradictions import check_consistent
from tasks.labels.decision import ACTIONS, MERGE, Decision
from tasks.labels.routes import NameKey, Route, Routes
from tasks.params.ingest import IngestParams

DROPPED = "dropped"  # status of photos that a decision drops
SHOWN = 10  # lines in a message


@dataclass(frozen=True)
class Decided:
    """What the decisions did.

    rows: decisions by action. photos: photos by the actions that apply to them. routes: of these photos, by
    `id` of the record.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    photos: Mapping[str, int] = field(default_factory=dict)
    routes: Mapping[int, Route] = field(default_factory=dict)


def apply_decisions(
    records: Sequence[Record], decisions: Sequence[Decision], params: IngestParams
) -> Decided:
    """Apply the decisions to all records, whose identities are those of their folders, and return the effect.

    A dropped photo is rejected; a moved one gets its new identity, and the role of that identity's photos. A
    sentence in `reason` names each decision. With ingest.same_name merge, spellings of a name are one.

    Raises:
        DataInvalid: the decisions contradict each other, or do not fit the photos; it names the lines.
    """
    if not decisions:
        return Decided(_by_action(Counter()), _by_action(Counter()))
    key: NameKey = folded if params.same_name == "merge" else str
    file = params.decisions
    try:
        check_consistent(decisions, key)
        routes = _routes(records, Routes(decisions, key))
    except DataInvalid as error:
        raise DataInvalid(f"{file}: {error}") from error
    if problems := list(misfits(records, decisions, routes.values(), key)):
        more = [f"  and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        advice = (
            "Correct or remove these lines. If they are about other photos, set ingest.decisions to another "
            "file or to null."
        )
        lines = [f"{file} does not fit the photos:", *problems[:SHOWN], *more, advice]
        raise DataInvalid("\n".join(lines))
    _apply(records, routes, key, str(file))
    photos = Counter(
        action for route in routes.values() for action in {decision.action for decision in route.decisions}
    )
    return Decided(_by_action(Counter(d.action for d in decisions)), _by_action(photos), routes)


def _by_action(counts: Mapping[str, int]) -> dict[str, int]:
    return {action: counts.get(action, 0) for action in ACTIONS}


def _routes(records: Sequence[Record], routes: Routes) -> dict[int, Route]:
    """Return the routes of the photos that have decisions."""
    found = (
        (id(record), routes.of(record.image_id, record.identity))
        for record in records
        if record.identity is not None
    )
    return {place: route for place, route in found if route.decisions}


def _apply(records: Sequence[Record], routes: Mapping[int, Route], key: NameKey, file: str) -> None:
    roles: defaultdict[str, set[str | None]] = defaultdict(set)
    for record in records:
        if record.identity is not None:
            roles[key(record.identity)].add(record.role)
    for record in records:
        route = routes.get(id(record))
        if route is None:
            continue
        theirs = roles[key(route.identity)]
        if any(step.action != MERGE for step in route.steps) and len(theirs) == 1:
            record.role = next(iter(theirs))
        record.identity = route.identity
        if record.kept:
            record.reason = " ".join(_sentence(step, file) for step in route.decisions)
        if record.kept and route.dropped:
            record.reject(DROPPED, record.reason)


def _sentence(decision: Decision, file: str) -> str:
    what = {
        "keep": "Kept",
        "drop": "Dropped",
        "move": f"Moved from {decision.identity} to {decision.target}",
        "split": f"Split from {decision.identity} as {decision.target}",
        "merge": f"{decision.identity} is merged into {decision.target}",
    }[decision.action]
    who = f" ({decision.who})" if decision.who else ""
    why = f": {decision.why.rstrip('.')}" if decision.why else ""
    return f"{what} by {file}, line {decision.line}{who}{why}."

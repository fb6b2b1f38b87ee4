"""What the page shows of a suspect: its faces, the person's other photos and the nearest other person."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.review.choices import proposed_target
from service.review.reviewing import State, minute
from service.review.standing import DECIDED, OPEN, Standing
from service.review.suspects import Suspect
from tasks.labels.decision import KEEP, MERGE, MOVE, SPLIT, TARGETED, Decision

SUSPECTED = 8  # faces of one suspect
OTHERS = 6  # faces of its identity, and of the nearest other
PER_PAGE = 20
ANY, SHOWN = "all", (OPEN, DECIDED, "stale", "all")


@dataclass(frozen=True)
class Card:
    """A suspect as the page shows it.

    faces: digest and path of suspected photos, of which `hidden` more are not shown. own, near: digests of
    the identity's other photos, and of the nearest other identity's. target: to fill in. verdict: what was
    decided, by whom and when. undoable: by the reviewer of the page.
    """

    suspect: Suspect
    standing: Standing
    faces: tuple[tuple[str, str], ...]
    hidden: int
    own: list[str]
    near: list[str]
    target: str
    suggestion: str
    verdict: str
    undoable: bool


@dataclass(frozen=True)
class Page:
    """Cards of one page. number: from 1 to `last`. count: suspects on all pages. show: one of SHOWN."""

    cards: list[Card]
    number: int
    last: int
    count: int
    show: str


def page_of(state: State, who: str, *, show: str = OPEN, number: int = 1) -> Page:
    """Return a page of the suspects with a status, or of all; the nearest one if there is no such page."""
    keys = _keys(state, show)
    last = max(1, -(-len(keys) // PER_PAGE))
    number = min(max(1, number), last)
    shown = keys[(number - 1) * PER_PAGE : number * PER_PAGE]
    return Page([card_of(state, key, who) for key in shown], number, last, len(keys), show)


def page_number(state: State, key: str, show: str) -> int:
    """Return the page that a suspect is on, 1 if it is on none."""
    keys = _keys(state, show)
    return keys.index(key) // PER_PAGE + 1 if key in keys else 1


def card_of(state: State, key: str, who: str) -> Card:
    """Return a suspect with its faces."""
    suspect, standing, faces = state.suspects[key], state.standings[key], state.faces
    digests = tuple(digest for digest, _ in suspect.photos)
    target = proposed_target(suspect, state.names.all)
    return Card(
        suspect=suspect,
        standing=standing,
        faces=suspect.photos[:SUSPECTED],
        hidden=max(0, len(suspect.photos) - SUSPECTED),
        own=faces.of(suspect.identity, count=OTHERS, without=digests, first=suspect.other_digest),
        near=faces.of(suspect.other, count=OTHERS, without=digests, first=suspect.other_digest),
        target=target,
        suggestion=_words(suspect.action, suspect.identity, target, suspect.is_pair),
        verdict=_verdict(standing.decisions),
        undoable=any(decision.who == who for decision in standing.decisions),
    )


def _keys(state: State, show: str) -> list[str]:
    return [key for key, standing in state.standings.items() if show in (ANY, standing.status)]


def _verdict(decisions: Iterable[Decision]) -> str:
    """Return what was decided, by whom and when: each different decision once."""
    said = {
        f"{_words(one.action, one.identity, one.target, not one.digest)} by {one.who or 'somebody'}, "
        f"{minute(one.when)}": None
        for one in decisions
    }
    return "; ".join(said)


def _words(action: str, identity: str, target: str, pair: bool) -> str:
    if pair:
        return (
            f"merge {identity} into {target}" if action == MERGE else f"two people: {identity} and {target}"
        )
    where = {MOVE: f"move to {target}", SPLIT: f"split into the new {target}"}
    return (
        where.get(action, action) if action in TARGETED else {KEEP: f"keep as {identity}"}.get(action, action)
    )

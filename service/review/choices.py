"""From a reviewer's choice about a suspect to the decisions that are written."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from facenet.errors import DataInvalid
from service.review.suspects import Suspect
from tasks.labels.decision import MERGE, MOVE, SPLIT, TARGETED, Decision, problem_of


@dataclass(frozen=True)
class Names:
    """Names of identities. present: in the folders. made: by splits, applied or not."""

    present: frozenset[str]
    made: frozenset[str]

    @classmethod
    def of(cls, identities: Iterable[str], decisions: Iterable[Decision]) -> "Names":
        """Return the names of the manifest's identities, and of those that decisions make."""
        made = frozenset(decision.target for decision in decisions if decision.action == SPLIT)
        return cls(frozenset(identities) - made, made)

    @cached_property
    def all(self) -> frozenset[str]:
        """Every name that a photo can be moved to."""
        return self.present | self.made

    def misfit(self, decision: Decision) -> str | None:
        """Return why ingest would refuse the target of a decision, or None."""
        target = decision.target
        if decision.action == SPLIT and target in self.present:
            return f"there is a person called {target}. Choose move, or another name"
        if decision.action == MOVE and target not in self.all:
            near = get_close_matches(target, sorted(self.all), n=3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            return f"there is no person called {target}.{hint} Choose split for a new one"
        return None


def proposed_target(suspect: Suspect, identities: Collection[str]) -> str:
    """Return the identity to fill in: the suggested one, else the nearest other, else a new name."""
    if suspect.is_pair:
        return suspect.target or suspect.other
    new = new_name(suspect.identity, identities)
    return suspect.target or (new if suspect.action == SPLIT else suspect.other or new)


def new_name(identity: str, identities: Collection[str]) -> str:
    """Return a name for a part of an identity that nobody has."""
    number = 2
    while (name := f"{identity} ({number})") in identities:
        number += 1
    return name


def decisions_of(
    suspect: Suspect,
    action: str,
    target: str,
    *,
    names: Names,
    who: str,
    when: str,
    skip: Collection[str] = (),
) -> list[Decision]:
    """Return one decision for each photo of the suspect, or one for its pair of identities.

    target: the other identity; not used by keep and drop. names: that ingest would accept.
    skip: digests that are decided already.

    Raises:
        DataInvalid: the action is not one of the suspect's, or the target does not fit; it says what to do.
    """
    if action not in suspect.actions:
        raise DataInvalid(f"{action or 'Nothing'} is not one of {', '.join(suspect.actions)}.")
    why = f"audit: {suspect.kind}, probability {suspect.probability:.2f}"
    made = [
        Decision(digest, identity, action, other, who, when, why)
        for digest, identity, other in _subjects(suspect, action, target.strip())
        if digest not in skip or not digest
    ]
    for decision in made:
        if problem := problem_of(decision) or names.misfit(decision):
            raise DataInvalid(f"Not written: {problem}.")
    return made


def _subjects(suspect: Suspect, action: str, target: str) -> Iterator[tuple[str, str, str]]:
    """Yield digest, identity and target of each decision."""
    if action == MERGE and suspect.target == suspect.identity:  # the suggestion is the other direction
        yield "", suspect.other, suspect.identity
    elif suspect.is_pair:
        yield "", suspect.identity, suspect.other
    else:
        for digest, _ in suspect.photos:
            yield digest, suspect.identity, target if action in TARGETED else ""

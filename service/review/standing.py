"""What has been decided about a suspect: nothing yet, a decision, or that its photos have gone."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from service.review.faces import Faces
from service.review.suspects import Suspect
from tasks.labels.decision import KEEP, MERGE, Decision

OPEN, DECIDED, STALE = "open", "decided", "stale"


@dataclass(frozen=True)
class Standing:
    """Where a suspect stands.

    status: OPEN, DECIDED or STALE. decisions: about the suspect; some of its photos may still be open.
    """

    status: str
    decisions: tuple[Decision, ...] = ()

    @property
    def last(self) -> Decision:
        """The decision to show."""
        return self.decisions[-1]


class Decided:
    """The decisions of the file, looked up by suspect."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._photos: dict[tuple[str, str], Decision] = {}
        self._pairs: defaultdict[frozenset[str], list[Decision]] = defaultdict(list)
        for decision in decisions:
            if decision.digest:
                self._photos.setdefault(decision.subject, decision)
            elif decision.action == MERGE or decision.apart:
                self._pairs[frozenset((decision.identity, decision.target))].append(decision)

    def photo(self, digest: str, identity: str) -> Decision | None:
        """Return the decision about a photo of an identity."""
        return self._photos.get((digest, identity))

    def about(self, suspect: Suspect) -> tuple[Decision, ...]:
        """Return the decisions about a suspect, one for each photo that has one."""
        if suspect.is_pair:
            return tuple(self._pairs.get(frozenset((suspect.identity, suspect.other)), ())[:1])
        found = (self.photo(digest, suspect.identity) for digest, _ in suspect.photos)
        return tuple(decision for decision in found if decision)

    def standing(self, suspect: Suspect, faces: Faces) -> Standing:
        """Return where a suspect stands; a decided one remains so after ingest has applied the decision."""
        decisions = self.about(suspect)
        if len(decisions) >= max(1, len(suspect.photos)):
            return Standing(DECIDED, decisions)
        return Standing(OPEN if _is_present(suspect, faces) else STALE, decisions)


def _is_present(suspect: Suspect, faces: Faces) -> bool:
    if suspect.is_pair:
        return suspect.identity in faces.photos and suspect.other in faces.photos
    return all(faces.identities.get(digest) == suspect.identity for digest, _ in suspect.photos)


def confirms(suspect: Suspect, standing: Standing) -> bool:
    """Return whether the reviewers agreed with the audit that the label is wrong, or is to be kept."""
    kept = all(decision.action == KEEP for decision in standing.decisions)
    return kept == (suspect.action == KEEP)

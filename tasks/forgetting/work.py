"""Forget a person in all places: find, write the receipt, erase, and look again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet.errors import FaceNetError
from tasks import paths
from tasks.forgetting.journal import Journal
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding, Place
from tasks.labels.forgotten import ERASED, REFUSED, Entry, append, now


class ForgettingFailed(FaceNetError):
    """Something of the person is still there; the message names the places."""


@dataclass(frozen=True)
class Found:
    """What one place has."""

    place: str
    findings: Sequence[Finding]

    @property
    def reachable(self) -> list[Finding]:
        """The findings that can be erased."""
        return [finding for finding in self.findings if finding.action is not Action.LEFT]

    @property
    def left(self) -> list[Finding]:
        """The findings that somebody has to erase by hand."""
        return [finding for finding in self.findings if finding.action is Action.LEFT]


def find(places: Iterable[Place], person: Person) -> list[Found]:
    """Return what each place has; `person` grows by the photos that are found."""
    return [Found(place.name, place.find(person)) for place in places]


def forget(root: Path, places: Sequence[Place], journal: Journal, say: Callable[[str], None]) -> list[Found]:
    """Erase a person in all places, and return what is left.

    The journal and the rows of the receipt are written first: from then on ingest refuses the photos, and an
    interrupted erasure can be finished. Every place is searched again at the end, whatever the journal says.

    Raises:
        ForgettingFailed: a place still has something after a second attempt.
    """
    receipt = root / paths.FORGOTTEN
    journal.write(root)
    append(receipt, _refused(journal))
    for place in places:
        if place.name not in journal.done:
            _erase(place, journal.person, say)
            journal.done.append(place.name)
            journal.write(root)
    left = [_erase(place, journal.person, say) for place in places]
    if still := [found.place for found in left if found.reachable]:
        raise ForgettingFailed(
            f"After two attempts there is still something in: {', '.join(still)}. Is another program writing "
            "there? Stop it and run the command again."
        )
    append(receipt, [Entry("", journal.pseudonym, ERASED, now(), journal.why, "; ".join(journal.done))])
    journal.remove(root)
    return [found for found in left if found.left]


def _erase(place: Place, person: Person, say: Callable[[str], None]) -> Found:
    """Erase what a place has, and return what it still has."""
    found = Found(place.name, place.find(person))
    if found.reachable:
        say(f"{place.name}: {len(found.reachable)}")
        place.erase(person, found.reachable)
        found = Found(place.name, place.find(person))
    return found


def _refused(journal: Journal) -> list[Entry]:
    return [
        Entry(digest, journal.pseudonym, REFUSED, journal.when, journal.why)
        for digest in sorted(journal.person.photos)
    ]

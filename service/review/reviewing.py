"""A review: the suspects with the decisions of all reviewers, and the changes of one of them."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock

from facenet.errors import DataInvalid
from service.review.choices import Names, decisions_of
from service.review.faces import Faces, read_faces
from service.review.progress import Progress, progress_of
from service.review.standing import DECIDED, STALE, Decided, Standing
from service.review.suspects import Suspect, read_suspects
from tasks.labels.contradictions import described
from tasks.labels.decision import Decision
from tasks.labels.decisions import append_decisions, read_decisions, undo_decisions
from tasks.paths import ALIGNED, MANIFEST
from tasks.shards import shard_paths

Stamp = tuple[tuple[str, int, int], ...]


def now() -> str:
    """Return the time as decisions have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def minute(when: str) -> str:
    """Return the time of a decision for people, to the minute."""
    return f"{when[:16].replace('T', ' ')} UTC"


@dataclass(frozen=True, eq=False)
class State:
    """The suspects in their order, with the decisions of one moment."""

    suspects: dict[str, Suspect]
    faces: Faces
    decisions: tuple[Decision, ...]

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Where each suspect stands, by key."""
        decided = Decided(self.decisions)
        return {key: decided.standing(suspect, self.faces) for key, suspect in self.suspects.items()}

    @cached_property
    def progress(self) -> list[Progress]:
        """The progress in all, then by kind."""
        return progress_of((suspect, self.standings[key]) for key, suspect in self.suspects.items())

    @cached_property
    def names(self) -> Names:
        """The names of identities that decisions may lead to."""
        return Names.of(self.faces.photos, self.decisions)

    def last_of(self, who: str) -> Suspect | None:
        """Return the suspect that a reviewer decided last."""
        order = {decision: place for place, decision in enumerate(self.decisions)}
        own = [
            (max(places), key)
            for key, standing in self.standings.items()
            if (places := [order[decision] for decision in standing.decisions if decision.who == who])
        ]
        return self.suspects[max(own)[1]] if own else None


class Review:
    """What one reviewer sees and changes; methods may be called by several threads.

    root: the workspace. audit, decisions: files. who: the reviewer. clock: the time for new decisions.
    """

    def __init__(
        self, root: Path, *, audit: Path, decisions: Path, who: str, clock: Callable[[], str] = now
    ) -> None:
        self.who, self.audit = who, audit
        self._root, self._decisions, self._clock = root, decisions, clock
        self._lock = Lock()
        self._read: tuple[Stamp, dict[str, Suspect], Faces] | None = None

    def state(self) -> State:
        """Return the present state; audit and data are read again when their files have changed.

        Raises:
            DataInvalid: the audit, the data or the decisions are missing or damaged.
        """
        return self._state(read_decisions(self._decisions))

    def faces(self) -> Faces:
        """Return the present faces, without reading the decisions.

        Raises:
            DataInvalid: the audit or the data are missing or damaged.
        """
        return self._data()[1]

    def decide(self, key: str, action: str, target: str) -> State:
        """Write what the reviewer chose for a suspect, and return the state after it.

        Raises:
            DataInvalid: there is no such suspect, it is stale, somebody has decided it, or the choice does
                not fit; nothing is written.
        """
        state = self.state()
        suspect, standing = _found(state, key)
        if standing.status == STALE:
            raise DataInvalid("Not written: the photo is no longer there. Run `facenet audit` again.")
        decided = {decision.digest for decision in standing.decisions}
        if standing.status == DECIDED:
            decided = set()  # equal decisions are accepted, others are refused
        new = decisions_of(
            suspect, action, target, names=state.names, who=self.who, when=self._clock(), skip=decided
        )
        if standing.status == DECIDED and (refusal := _refusal(standing.decisions, new)):
            raise DataInvalid(refusal)
        try:
            return self._state(append_decisions(self._decisions, new))
        except DataInvalid as error:  # somebody was faster, or the decisions as a whole contradict each other
            standing = self.state().standings[key]
            raise DataInvalid(_refusal(standing.decisions, new) or f"Not written: {error}") from error

    def undo(self, key: str) -> State:
        """Remove the reviewer's own decisions about a suspect, and return the state after it.

        Raises:
            DataInvalid: there is no such suspect, or no decision of the reviewer about it.
        """
        _, standing = _found(self.state(), key)
        own = [decision for decision in standing.decisions if decision.who == self.who]
        if not own:
            others = "".join(f" ({_when_and_who(decision)})" for decision in standing.decisions[:1])
            raise DataInvalid(f"Nothing to undo: you have no decision about this suspect{others}.")
        return self._state(undo_decisions(self._decisions, own))

    def _state(self, decisions: Iterable[Decision]) -> State:
        return State(*self._data(), tuple(decisions))

    def _data(self) -> tuple[dict[str, Suspect], Faces]:
        with self._lock:
            stamp = self._stamp()
            if self._read is None or self._read[0] != stamp:
                suspects = {suspect.key: suspect for suspect in read_suspects(self.audit)}
                self._read = stamp, suspects, read_faces(self._root)
            return self._read[1:]

    def _stamp(self) -> Stamp:
        files = [self.audit, self._root / MANIFEST, *shard_paths(self._root / ALIGNED, "faces")]
        found = [(path, path.stat()) for path in files if path.exists()]
        return tuple((os.fspath(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)


def _found(state: State, key: str) -> tuple[Suspect, Standing]:
    if key not in state.suspects:
        raise DataInvalid("The audit has no such suspect any more. Reload the page.")
    return state.suspects[key], state.standings[key]


def _refusal(present: Iterable[Decision], new: Iterable[Decision]) -> str | None:
    """Return why new decisions are refused: one that is there is different."""
    outcomes = {decision.subject: decision.outcome for decision in new}
    for decision in present:
        if outcomes.get(decision.subject) != decision.outcome:
            return f"Not written: {_when_and_who(decision)}. Undo that decision first."
    return None


def _when_and_who(decision: Decision) -> str:
    what = described(replace(decision, who=""))
    return f"{decision.who or 'somebody'} decided at {minute(decision.when)} to {what}"

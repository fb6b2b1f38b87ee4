"""Where decisions lead a photo: through moves, splits and merges, to its identity or out of the data.

A photo may have several decisions, one for each identity it passes: audited again after it was moved, it can
be moved on. Merges are followed in chains.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from facenet.errors import DataInvalid
from tasks.labels.decision import DROP, KEEP, MERGE, Decision

NameKey = Callable[[str], str]


@dataclass(frozen=True)
class Route:
    """What the decisions make of one photo.

    identity: the name it ends with. steps: the moves, splits and merges that led there, in order.
    dropped: the decision that drops it, if any. keeps: the decisions that keep it where it passed.
    """

    identity: str
    steps: tuple[Decision, ...] = ()
    dropped: Decision | None = None
    keeps: tuple[Decision, ...] = ()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All decisions that apply to the photo."""
        return (*self.steps, *self.keeps, *([self.dropped] if self.dropped else []))


class Routes:
    """The decisions, looked up by photo and by identity.

    same_name: names with equal values of this function are one identity; by default equal names.
    """

    def __init__(self, decisions: Iterable[Decision], same_name: NameKey = str) -> None:
        self._key = same_name
        self._photos: dict[tuple[str, str], Decision] = {}
        self._merges: dict[str, Decision] = {}
        for decision in decisions:
            if decision.action == MERGE:
                self._merges.setdefault(same_name(decision.identity), decision)
            elif not decision.apart:
                self._photos.setdefault((decision.digest, same_name(decision.identity)), decision)

    def of(self, digest: str | None, identity: str) -> Route:
        """Return the route of the photo `digest` that starts as `identity`; without a digest only merges.

        A move between two identities that are merged changes nothing.

        Raises:
            DataInvalid: the decisions lead in a circle; the message names the lines.
        """
        steps: list[Decision] = []
        keeps: list[Decision] = []
        seen = {self._key(identity)}
        while True:
            found = self._photos.get((digest or "", self._key(identity)))
            if found is not None and found.action == DROP:
                return Route(identity, tuple(steps), found, tuple(keeps))
            if found is not None and found.action == KEEP:
                keeps.append(found)
                found = None
            if found is not None and found in steps:
                found = None
            step = found or self._merges.get(self._key(identity))
            if step is None:
                return Route(identity, tuple(steps), None, tuple(keeps))
            steps.append(step)
            if self._key(step.target) in seen:
                if self._key(self._merged(identity)) != self._key(self._merged(step.target)):
                    raise DataInvalid(_circle(steps, step.target, self._key))
                if step is found:
                    continue
            identity = step.target
            seen.add(self._key(identity))

    def _merged(self, identity: str) -> str:
        """Return the identity at the end of a chain of merges."""
        seen: list[Decision] = []
        while (step := self._merges.get(self._key(identity))) is not None:
            if step in seen:
                raise DataInvalid(_circle(seen, identity, self._key))
            seen.append(step)
            identity = step.target
        return identity


def _circle(steps: list[Decision], start: str, key: NameKey) -> str:
    first = next(place for place, step in enumerate(steps) if key(step.identity) == key(start))
    loop = steps[first:]
    top = min(range(len(loop)), key=lambda place: loop[place].line)
    loop = loop[top:] + loop[:top]
    names = " -> ".join([loop[0].identity, *(step.target for step in loop)])
    lines = ", ".join(str(line) for line in sorted({step.line for step in loop}))
    return f"The decisions in lines {lines} lead in a circle: {names}. Remove one of them."

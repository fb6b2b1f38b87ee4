"""How many suspects are reviewed, and how many of them the reviewers confirmed."""

from collections.abc import Iterable
from dataclasses import dataclass

from facenet.evaluation.uncertainty import Interval, wilson_interval
from service.review.standing import DECIDED, STALE, Standing, confirms
from service.review.suspects import Suspect

ALL = "all"


@dataclass(frozen=True)
class Progress:
    """Counts of suspects of one kind, or of ALL; confirmed: decided ones whose label was wrong."""

    kind: str
    suspects: int = 0
    decided: int = 0
    stale: int = 0
    confirmed: int = 0

    @property
    def remaining(self) -> int:
        """The number of suspects to decide."""
        return self.suspects - self.decided - self.stale

    @property
    def precision(self) -> float | None:
        """The fraction of decided suspects that were confirmed, None before the first decision."""
        return self.confirmed / self.decided if self.decided else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's 95 % interval of the precision."""
        return wilson_interval(self.confirmed, self.decided) if self.decided else None


def progress_of(suspects: Iterable[tuple[Suspect, Standing]]) -> list[Progress]:
    """Return the progress in all, then by kind in alphabetical order."""
    counts: dict[str, list[int]] = {ALL: [0, 0, 0, 0]}
    for suspect, standing in suspects:
        decided = standing.status == DECIDED
        flags = (True, decided, standing.status == STALE, decided and confirms(suspect, standing))
        for kind in (ALL, suspect.kind):
            entry = counts.setdefault(kind, [0, 0, 0, 0])
            for place, flag in enumerate(flags):
                entry[place] += flag
    kinds = sorted(kind for kind in counts if kind != ALL)
    return [Progress(kind, *counts[kind]) for kind in (ALL, *kinds)]

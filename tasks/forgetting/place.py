"""A place that may have something of a person: it finds what it has, and erases it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tasks.forgetting.person import Person


class Action(StrEnum):
    """What is done with a finding."""

    REMOVE = "remove"
    REWRITE = "rewrite"  # without the person
    MARK = "mark"
    LEFT = "left"  # out of reach: somebody has to remove it by hand


@dataclass(frozen=True)
class Finding:
    """Something of the person. what: the file or object, for people. note: what to know about it."""

    what: str
    action: Action = Action.REMOVE
    note: str = ""
    count: int = 1  # of photos, rows or files in it


class Place(Protocol):
    """One kind of place. name: in listings and in the receipt."""

    name: str

    def find(self, person: Person) -> list[Finding]:
        """Return what the place has of the person; nothing is changed but `person`, which may grow."""

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Erase the findings of a `find` since the last change; repeated after an interruption."""

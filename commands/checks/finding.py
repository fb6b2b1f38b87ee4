"""The result of one check."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

OK, NOTE, WRONG = "ok", "note", "wrong"


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    state: ok, note (it works, but there is something to know) or wrong. fix: the command, or the change,
    that makes it right; "" if nothing is wrong.
    """

    check: str
    state: str
    message: str
    fix: str = ""


Check = Callable[[], Iterator[Finding]]


def ok(check: str, message: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, OK, message)


def note(check: str, message: str, fix: str = "") -> Finding:
    """Return a finding that keeps nothing from working."""
    return Finding(check, NOTE, message, fix)


def wrong(check: str, message: str, fix: str) -> Finding:
    """Return the finding that something does not work, and what to do about it."""
    return Finding(check, WRONG, message, fix)

"""Check that decisions do not contradict each other."""

from collections.abc import Sequence

from facenet.errors import DataInvalid
from tasks.labels.decision import Decision
from tasks.labels.routes import NameKey, Routes


def check_consistent(decisions: Sequence[Decision], same_name: NameKey = str) -> None:
    """Check that each subject has one outcome, and that moves and merges lead somewhere.

    Equal decisions of several reviewers agree.

    same_name: see `Routes`.

    Raises:
        DataInvalid: two decisions contradict each other or some lead in a circle; it names the lines.
    """
    first: dict[tuple[str, str], Decision] = {}
    for decision in decisions:
        subject = decision.digest, same_name(decision.identity)
        former = first.setdefault(subject, decision)
        if (former.action, same_name(former.target)) != (decision.action, same_name(decision.target)):
            raise DataInvalid(
                f"Lines {former.line} and {decision.line} contradict each other: {described(former)}, and "
                f"{described(decision)}. Remove one of them."
            )
    routes = Routes(decisions, same_name)
    for decision in first.values():
        routes.of(decision.digest, decision.identity)


def described(decision: Decision) -> str:
    """Return a decision in words, such as "drop photo 0123456789ab of Ada"."""
    photo = f"photo {decision.digest[:12]} of " if decision.digest else ""
    target = {"merge": "into ", "move": "to ", "split": "into the new "}.get(decision.action)
    where = f" {target}{decision.target}" if target else ""
    who = f" ({decision.who})" if decision.who else ""
    return f"{decision.action} {photo}{decision.identity}{where}{who}"

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
        if decision.apart:
            continue
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
    for decision in decisions:
        if decision.apart:
            _check_apart(decision, routes, same_name)


def _check_apart(apart: Decision, routes: Routes, same_name: NameKey) -> None:
    ends = routes.of(None, apart.identity), routes.of(None, apart.target)
    if same_name(ends[0].identity) == same_name(ends[1].identity):
        merges = [step for end in ends for step in end.steps]
        lines = sorted({apart.line, *(step.line for step in merges)})
        what = ", and ".join(described(decision) for decision in (apart, *merges))
        raise DataInvalid(
            f"Lines {' and '.join(map(str, lines))} contradict each other: {what}. Remove one of them."
        )


def described(decision: Decision) -> str:
    """Return a decision in words, such as "drop photo 0123456789ab of Ada (Eve)"."""
    photo = f"photo {decision.digest[:12]} of " if decision.digest else ""
    words = {"keep": "apart from ", "merge": "into ", "move": "to ", "split": "into the new "}
    where = f" {words.get(decision.action, '')}{decision.target}" if decision.target else ""
    who = f" ({decision.who})" if decision.who else ""
    return f"{decision.action} {photo}{decision.identity}{where}{who}"

import pytest

from tasks.labels.decision import HEADER, Decision, problem_of

A = "a" * 64
WHEN = "2026-12-01T09:30:00Z"


def test_the_columns() -> None:
    assert HEADER == ("digest", "identity", "action", "target", "who", "when", "why")


def test_names_are_normalised_and_the_line_does_not_count() -> None:
    first = Decision(A, "Zoe\u0308", "move", "Rene\u0301", line=2)
    assert (first.identity, first.target) == ("Zo\u00eb", "Ren\u00e9")
    assert first == Decision(A, "Zo\u00eb", "move", "Ren\u00e9", line=9)
    assert first.subject == (A, "Zo\u00eb")
    assert first.outcome == ("move", "Ren\u00e9")


@pytest.mark.parametrize(
    "decision",
    [
        Decision(A, "Ada", "keep", when=WHEN),
        Decision(A, "Ada", "drop", "", "Eve", WHEN, "a poster, not her"),
        Decision(A, "Ada", "move", "Bob", when=WHEN),
        Decision(A, "Ada", "split", "Ada 2", when=WHEN),
        Decision("", "Ada", "merge", "Ada Lovelace", when=WHEN),
        Decision("", "Ada", "keep", "Bob", when=WHEN),
    ],
)
def test_valid_decisions(decision: Decision) -> None:
    assert problem_of(decision) is None


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        (
            Decision(A, "Ada", "delete", when=WHEN),
            "action 'delete' is not one of keep, drop, move, merge, sp",
        ),
        (Decision(A, " ", "drop", when=WHEN), "identity is empty"),
        (Decision("", "Ada", "keep", when=WHEN), "digest '' is not a sha256"),
        (Decision("", "Ada", "keep", "Ada", when=WHEN), "target is the identity itself, Ada"),
        (Decision("", "Ada", "drop", when=WHEN), "digest '' is not a sha256"),
        (Decision("A" * 64, "Ada", "drop", when=WHEN), "64 lowercase hexadecimal"),
        (Decision(A, "Ada", "merge", "Bob", when=WHEN), "Leave digest empty"),
        (Decision(A, "Ada", "keep", "Bob", when=WHEN), "keep has no target"),
        (Decision(A, "Ada", "move", when=WHEN), "target is empty. Write the identity to move to"),
        (Decision("", "Ada", "merge", "Ada", when=WHEN), "target is the identity itself, Ada"),
        (Decision(A, "Ada", "drop"), "when '' is not a time like 2026-12-01T09:30:00Z"),
        (Decision(A, "Ada", "drop", when="2026-13-01T09:30:00Z"), "when '2026-13-01T09:30:00Z' is not a"),
        (Decision(A, "Ada", "drop", when="2026-12-01T09:30:00+01:00"), "is not a time"),
        (Decision(A, "Ada", "drop", when=WHEN, why="two\nlines"), r"why 'two\\nlines' contains a line break"),
    ],
)
def test_what_is_wrong_is_named(decision: Decision, message: str) -> None:
    found = problem_of(decision)
    assert found is not None
    assert message.replace(r"\\", "\\") in found

import pytest

from facenet.errors import DataInvalid
from facenet.identity import fold_name
from tasks.labels.contradictions import check_consistent, described
from tasks.labels.decision import Decision

P, Q = "a" * 64, "b" * 64


def test_decisions_that_agree() -> None:
    check_consistent(
        [
            Decision(P, "Ann", "drop", who="Eve", line=2),
            Decision(P, "Ann", "drop", who="Mallory", line=3),
            Decision(P, "Bob", "keep", line=4),
            Decision(Q, "Ann", "move", "Bob", line=5),
            Decision("", "Bob", "merge", "Cid", line=6),
        ]
    )


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        (
            [Decision(P, "Ann", "drop", who="Eve", line=2), Decision(P, "Ann", "keep", line=9)],
            r"Lines 2 and 9 contradict each other: drop photo aaaaaaaaaaaa of Ann \(Eve\), and keep photo",
        ),
        (
            [Decision(P, "Ann", "move", "Bob", line=2), Decision(P, "Ann", "move", "Cid", line=3)],
            "Lines 2 and 3 .* move photo aaaaaaaaaaaa of Ann to Bob, and .* to Cid. Remove one",
        ),
        (
            [Decision("", "Ann", "merge", "Bob", line=4), Decision("", "Ann", "merge", "Cid", line=5)],
            "Lines 4 and 5 .* merge Ann into Bob, and merge Ann into Cid",
        ),
        (
            [Decision("", "Ann", "merge", "Bob", line=4), Decision("", "Bob", "merge", "Ann", line=5)],
            "lines 4, 5 lead in a circle: Ann -> Bob -> Ann",
        ),
        (
            [Decision("", "Ann", "merge", "Bob", line=4), Decision("", "Bob", "keep", "Ann", line=5)],
            "Lines 4 and 5 contradict each other: keep Bob apart from Ann, and merge Ann into Bob",
        ),
        (
            [
                Decision("", "Ann", "keep", "Cid", line=2),
                Decision("", "Ann", "merge", "Bob", line=3),
                Decision("", "Cid", "merge", "Bob", line=4),
            ],
            "Lines 2 and 3 and 4 contradict each other: keep Ann apart from Cid, and merge Ann into Bob, and",
        ),
    ],
)
def test_contradictions_are_errors_with_both_lines(decisions: list[Decision], message: str) -> None:
    with pytest.raises(DataInvalid, match=message):
        check_consistent(decisions)


def test_an_identity_may_be_kept_apart_from_several_and_merged_into_another() -> None:
    rows = [("keep", "Bob"), ("keep", "Cid"), ("merge", "Dan"), ("keep", "Bob")]
    check_consistent([Decision("", "Ann", *row, line=line) for line, row in enumerate(rows, start=2)])


def test_spellings_contradict_if_they_are_one_name() -> None:
    decisions = [Decision(P, "Ann", "drop", line=2), Decision(P, "ANN", "keep", line=3)]
    check_consistent(decisions)
    with pytest.raises(DataInvalid, match="Lines 2 and 3"):
        check_consistent(decisions, fold_name)


def test_decisions_in_words() -> None:
    assert (
        described(Decision(P, "Ann", "split", "Ann 2"))
        == "split photo aaaaaaaaaaaa of Ann into the new Ann 2"
    )
    assert described(Decision("", "Ann", "merge", "Bob", who="Eve")) == "merge Ann into Bob (Eve)"

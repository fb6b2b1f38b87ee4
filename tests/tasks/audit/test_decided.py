from tasks.audit.decided import undecided
from tasks.labels.decision import Decision
from tests.tasks.audit.test_suspects import suspect

P, Q = "a" * 64, "b" * 64


def test_what_is_decided_is_not_suggested_again() -> None:
    kept, dropped, other = suspect(digest=P), suspect(digest=Q), suspect(digest=Q, identity="Bob")
    decisions = [Decision(P, "Ann", "keep"), Decision(Q, "Ann", "drop")]
    assert undecided([kept, dropped, other], decisions) == [other]


def test_a_kept_photo_stays_kept_after_its_person_is_merged() -> None:
    decisions = [Decision(P, "A. Ann", "keep"), Decision("", "A. Ann", "merge", "Ann")]
    assert undecided([suspect(digest=P)], decisions) == []


def test_people_that_are_merged_are_not_suggested_in_either_direction() -> None:
    pairs = [
        suspect(kind="split", identity="Ann", target=target, action="merge") for target in ("Bob", "Cid")
    ]
    assert undecided(pairs, [Decision("", "Bob", "merge", "Ann")]) == pairs[1:]
    assert undecided(pairs, [Decision("", "Ann", "keep", "Bob")]) == pairs[1:]

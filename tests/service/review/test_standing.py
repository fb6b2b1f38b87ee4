import pytest

from service.review.faces import Faces
from service.review.standing import Decided, confirms
from service.review.suspects import Suspect
from tasks.labels.decision import Decision

P, Q = "a" * 64, "b" * 64
FACES = Faces({P: "Ann", Q: "Ann"}, {"Ann": [P, Q], "Bob": []})
PHOTO = Suspect("k", "outlier", "Ann", ((P, ""),), action="move", target="Bob")
PART = Suspect("k", "merged", "Ann", ((P, ""), (Q, "")), action="split", target="Ann (2)")
PAIR = Suspect("k", "split", "Ann", (), other="Bob", action="merge", target="Bob")


def _status(suspect: Suspect, *decisions: Decision, faces: Faces = FACES) -> str:
    return Decided(decisions).standing(suspect, faces).status


def test_a_photo_is_decided_for_its_identity_only() -> None:
    assert _status(PHOTO) == "open"
    assert _status(PHOTO, Decision(P, "Bob", "drop"), Decision(Q, "Ann", "drop")) == "open"
    assert _status(PHOTO, Decision(P, "Ann", "keep")) == "decided"


def test_a_part_is_decided_when_all_its_photos_are() -> None:
    one, other = Decision(P, "Ann", "split", "Ann (2)"), Decision(Q, "Ann", "keep")
    assert Decided([one]).standing(PART, FACES).decisions == (one,)
    assert _status(PART, one) == "open"
    assert _status(PART, one, other) == "decided"


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        (Decision("", "Bob", "merge", "Ann"), "decided"),
        (Decision("", "Bob", "keep", "Ann"), "decided"),
        (Decision("", "Ann", "merge", "Cid"), "open"),
    ],
)
def test_a_pair_is_decided_in_either_direction(decision: Decision, status: str) -> None:
    assert _status(PAIR, decision) == status


def test_what_the_data_no_longer_has_is_stale_unless_it_was_decided() -> None:
    moved = Faces({P: "Bob"}, {"Bob": [P]})
    assert [_status(suspect, faces=moved) for suspect in (PHOTO, PART, PAIR)] == ["stale"] * 3
    assert _status(PHOTO, Decision(P, "Ann", "move", "Bob"), faces=moved) == "decided"


@pytest.mark.parametrize(
    ("suggested", "decided", "confirmed"),
    [("move", "move", True), ("move", "drop", True), ("move", "keep", False), ("keep", "keep", True)],
)
def test_a_suspect_is_confirmed_if_its_label_was_wrong(suggested: str, decided: str, confirmed: bool) -> None:
    suspect = Suspect("k", "outlier", "Ann", ((P, ""),), action=suggested)
    standing = Decided([Decision(P, "Ann", decided, "Cid" if decided == "move" else "")]).standing(
        suspect, FACES
    )
    assert confirms(suspect, standing) == confirmed

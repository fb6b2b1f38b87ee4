import pytest

from facenet.errors import DataInvalid
from service.review.choices import Names, decisions_of, new_name, proposed_target
from service.review.suspects import Suspect
from tasks.labels.decision import Decision

P, Q = "a" * 64, "b" * 64
WHEN = "2026-12-01T09:30:00Z"
NAMES = Names(frozenset({"Ann", "Bob", "Bobby"}), frozenset({"Cid"}))
PHOTO = Suspect("k", "outlier", "Ann", ((P, ""),), other="Bob", probability=0.873)
PART = Suspect("k", "merged", "Ann", ((P, ""), (Q, "")), action="split", target="Ann (2)")
PAIR = Suspect("k", "split", "Ann", (), other="Bob", action="merge", target="Bob")


def _rows(suspect: Suspect, action: str, target: str = "", **more: list[str]) -> list[tuple[str, ...]]:
    made = decisions_of(suspect, action, target, names=NAMES, who="eve", when=WHEN, **more)
    assert {(decision.who, decision.when) for decision in made} <= {("eve", WHEN)}
    return [(decision.digest, decision.identity, decision.action, decision.target) for decision in made]


def test_choices_become_decisions() -> None:
    assert _rows(PHOTO, "keep", "Bob") == [(P, "Ann", "keep", "")]
    assert _rows(PHOTO, "move", " Bob ") == [(P, "Ann", "move", "Bob")]
    assert _rows(PHOTO, "move", "Cid") == [(P, "Ann", "move", "Cid")]  # somebody splits Cid off
    assert _rows(PART, "split", "Cid", skip=[P]) == [(Q, "Ann", "split", "Cid")]
    assert _rows(PAIR, "merge") == [("", "Ann", "merge", "Bob")]
    assert _rows(PAIR, "keep") == [("", "Ann", "keep", "Bob")]
    back = Suspect("k", "split", "Ann", (), other="Bob", action="merge", target="Ann")
    assert _rows(back, "merge") == [("", "Bob", "merge", "Ann")]


def test_the_reason_names_kind_and_probability_but_nobody() -> None:
    (decision,) = decisions_of(PHOTO, "drop", "", names=NAMES, who="eve", when=WHEN)
    assert decision.why == "audit: outlier, probability 0.87"


@pytest.mark.parametrize(
    ("suspect", "action", "target", "message"),
    [
        (PHOTO, "merge", "Bob", "merge is not one of keep, drop, move, split"),
        (PAIR, "drop", "", "drop is not one of keep, merge"),
        (PHOTO, "move", "Boby", "no person called Boby. Did you mean Bobby or Bob"),
        (PHOTO, "move", "", "target is empty. Write the identity to move to"),
        (PHOTO, "move", "Ann", "target is the identity itself, Ann"),
        (PHOTO, "split", "Bob", "there is a person called Bob. Choose move, or another name"),
        (PHOTO, "split", "Di\nna", "contains a line break"),
    ],
)
def test_what_ingest_would_refuse_is_refused(
    suspect: Suspect, action: str, target: str, message: str
) -> None:
    with pytest.raises(DataInvalid, match=message):
        _rows(suspect, action, target)


def test_names_made_by_splits_are_new_even_after_ingest_has_applied_them() -> None:
    names = Names.of(["Ann", "Cid"], [Decision(P, "Ann", "split", "Cid"), Decision(Q, "Ann", "drop")])
    assert names == Names(frozenset({"Ann"}), frozenset({"Cid"}))
    assert names.misfit(Decision(Q, "Ann", "split", "Cid")) is None


def test_the_proposed_target() -> None:
    taken = NAMES.all | {"Ann (2)"}
    assert proposed_target(PHOTO, taken) == "Bob"
    assert proposed_target(PART, taken) == "Ann (2)"
    assert proposed_target(PAIR, taken) == "Bob"
    assert (
        proposed_target(Suspect("k", "merged", "Ann", ((P, ""),), other="Bob", action="split"), taken)
        == "Ann (3)"
    )
    assert new_name("Bob", taken) == "Bob (2)"

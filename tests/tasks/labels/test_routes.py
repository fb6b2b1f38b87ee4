import pytest

from facenet.errors import DataInvalid
from facenet.identity import fold_name
from tasks.labels.decision import Decision
from tasks.labels.routes import Routes

P, Q = "a" * 64, "b" * 64


def _routes(*rows: tuple[str, str, str, str]) -> Routes:
    return Routes([Decision(*row, line=line) for line, row in enumerate(rows, start=2)])


def test_without_decisions_a_photo_stays() -> None:
    route = _routes().of(P, "Ann")
    assert (route.identity, route.steps, route.dropped, route.keeps) == ("Ann", (), None, ())


def test_a_decision_is_for_one_photo_of_one_identity() -> None:
    routes = _routes((P, "Ann", "drop", ""))
    assert routes.of(P, "Ann").dropped is not None
    assert routes.of(Q, "Ann").dropped is None
    assert routes.of(P, "Bob").dropped is None
    assert routes.of(None, "Ann").dropped is None


def test_moves_splits_and_merges_are_followed_in_chains() -> None:
    routes = _routes(
        (P, "Ann", "move", "Bob"), ("", "Bob", "merge", "Cid"), ("", "Cid", "merge", "Dan"),
        (P, "Dan", "split", "Eve"), (P, "Eve", "keep", ""),
    )  # fmt: skip
    route = routes.of(P, "Ann")
    assert route.identity == "Eve"
    assert [step.line for step in route.steps] == [2, 3, 4, 5]
    assert [keep.line for keep in route.keeps] == [6]
    assert [decision.line for decision in route.decisions] == [2, 3, 4, 5, 6]
    assert routes.of(Q, "Bob").identity == "Dan"


def test_a_photo_is_dropped_where_it_was_moved_to() -> None:
    route = _routes((P, "Ann", "move", "Bob"), (P, "Bob", "drop", "")).of(P, "Ann")
    assert route.identity == "Bob"
    assert route.dropped is not None
    assert route.dropped.line == 3


@pytest.mark.parametrize("start", ["Ann", "Bob"])
def test_a_move_between_merged_identities_changes_nothing(start: str) -> None:
    routes = _routes(
        (P, "Bob", "move", "Ann"), ("", "Ann", "merge", "Bob"), ("", "Bob", "merge", "Cid"),
        (P, "Cid", "drop", ""),
    )  # fmt: skip
    route = routes.of(P, start)
    assert route.identity == "Cid"
    assert route.dropped is not None
    assert {step.line for step in route.steps} == {2, 3, 4}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(P, "Ann", "move", "Bob"), (P, "Bob", "move", "Ann")], "lines 2, 3 .*: Ann -> Bob -> Ann"),
        ([("", "Bob", "merge", "Ann"), ("", "Ann", "merge", "Bob")], "lines 2, 3 .*: Bob -> Ann -> Bob"),
        (
            [(P, "Ann", "move", "Bob"), ("", "Bob", "merge", "Cid"), (P, "Cid", "move", "Ann")],
            "lines 2, 3, 4 .*: Ann -> Bob -> Cid -> Ann. Remove one",
        ),
        (
            [(P, "Ann", "move", "Bob"), ("", "Bob", "merge", "Cid"), ("", "Cid", "merge", "Bob")],
            "lines 3, 4 .*: Bob -> Cid -> Bob",
        ),
    ],
)
def test_circles_are_errors_with_their_lines(rows: list[tuple[str, str, str, str]], message: str) -> None:
    with pytest.raises(DataInvalid, match=message):
        _routes(*rows).of(P, "Ann")


def test_spellings_can_be_one_name() -> None:
    routes = Routes([Decision(P, "Ann Lee", "drop"), Decision("", "BOB", "merge", "Cid")], fold_name)
    assert routes.of(P, "ann_lee").dropped is not None
    assert routes.of(Q, "Bob").identity == "Cid"

from service.review.cards import OTHERS, PER_PAGE, card_of, page_number, page_of
from tests.service.review.workspaces import Workspace, review_of


def test_a_card_has_the_faces_to_compare(small: Workspace) -> None:
    state = review_of(small).state()
    first = next(iter(state.suspects))
    card = card_of(state, first, "eve")
    ann = small.of("Ann")
    assert card.faces == ((ann[0], "Ann/0.jpg"),)
    assert card.own == ann[1:]
    assert card.near == small.of("Bob")[:OTHERS]
    assert (card.target, card.suggestion, card.verdict) == ("Bob", "move to Bob", "")


def test_the_verdict_names_each_decision_once_with_who_and_when(small: Workspace) -> None:
    review = review_of(small)
    state = review.state()
    part = next(key for key, suspect in state.suspects.items() if suspect.kind == "merged")
    pair = next(key for key, suspect in state.suspects.items() if suspect.is_pair)
    review.decide(pair, "merge", "")
    state = review.decide(part, "split", "Dan")
    when = state.decisions[-1].when[:16].replace("T", " ")
    assert card_of(state, part, "eve").verdict == f"split into the new Dan by eve, {when} UTC"
    assert card_of(state, pair, "eve").verdict.startswith("merge Cid into Ann by eve")
    assert card_of(state, pair, "eve").undoable
    assert not card_of(state, pair, "dan").undoable


def test_pages_of_open_suspects_close_up(small: Workspace) -> None:
    for number in range(PER_PAGE):
        small.suspect("outlier", small.of("Cid")[number % 4], "drop", 0.5, identity=f"Cid {number}")
    small.write_audit()
    review = review_of(small)
    state = review.state()
    first, last = next(iter(state.suspects)), list(state.suspects)[-1]
    shown = page_of(state, "eve", show="all", number=9)
    assert (shown.number, shown.last, shown.count) == (2, 2, PER_PAGE + 6)
    assert len(page_of(state, "eve", show="all").cards) == PER_PAGE
    assert page_of(state, "eve").count == 6  # the added photos are not those people's: they are stale
    assert page_of(state, "eve", show="stale").count == PER_PAGE
    state = review.decide(first, "keep", "")
    assert page_of(state, "eve").count == 5
    assert [page_number(state, key, "all") for key in (first, last)] == [1, 2]
    assert page_number(state, first, "open") == 1

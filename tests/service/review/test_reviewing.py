import threading

import pytest

from facenet.errors import DataInvalid
from service.review.reviewing import Review, State, minute
from tasks.labels.decisions import read_decisions
from tests.service.review.workspaces import Workspace, review_of


def _keys(state: State) -> list[str]:
    """Return the keys of two outliers, two pairs and the two parts of Bob."""
    order = ["outlier", "split", "merged"]
    return sorted(state.suspects, key=lambda key: order.index(state.suspects[key].kind))


def _written(made: Workspace) -> list[tuple[str, str, str, str]]:
    return [(one.identity, one.action, one.target, one.who) for one in read_decisions(made.decisions)]


def test_each_kind_is_decided_and_undone_step_by_step(small: Workspace) -> None:
    review = review_of(small)
    first, second, pair, other, part, _ = _keys(review.state())
    for key, action, target in (
        (first, "move", "Bob"), (second, "keep", ""), (pair, "merge", ""), (other, "keep", ""),
        (part, "split", "Dan"),
    ):  # fmt: skip
        state = review.decide(key, action, target)
        assert state.last_of("eve") == state.suspects[key]
    assert _written(small) == [
        ("Ann", "move", "Bob", "eve"), ("Ann", "keep", "", "eve"), ("Cid", "merge", "Ann", "eve"),
        ("Cid", "keep", "Bob", "eve"), ("Bob", "split", "Dan", "eve"), ("Bob", "split", "Dan", "eve"),
    ]  # fmt: skip
    assert (state.progress[0].decided, state.progress[0].remaining) == (5, 1)

    again = review_of(small)  # after a restart
    for key in (part, other, pair, second, first):
        last = again.state().last_of("eve")
        assert last is not None
        assert last.key == key
        state = again.undo(key)
    assert state.last_of("eve") is None
    assert _written(small) == []


def test_a_decision_of_another_reviewer_is_shown_and_not_overwritten(small: Workspace) -> None:
    eve, dan = review_of(small), review_of(small, who="dan")
    key = _keys(eve.state())[0]
    dan.decide(key, "drop", "")
    state = eve.state()
    assert state.standings[key].last.who == "dan"
    assert state.last_of("eve") is None
    with pytest.raises(DataInvalid, match=r"Not written: dan decided at 2.* UTC to drop photo .* of Ann"):
        eve.decide(key, "move", "Bob")
    with pytest.raises(DataInvalid, match=r"you have no decision about this suspect .dan decided"):
        eve.undo(key)
    eve.decide(key, "drop", "")  # the same
    assert _written(small) == [("Ann", "drop", "", "dan")]


def test_whoever_is_first_wins(small: Workspace) -> None:
    barrier, refused = threading.Barrier(2), []

    def decide(review: Review, action: str) -> None:
        state = review.state()
        barrier.wait()
        for key in _keys(state):
            try:
                review.decide(key, action, "Bob (9)")
            except DataInvalid as error:
                refused.append(str(error))

    eve, dan = (review_of(small, who=who) for who in ("eve", "dan"))
    threads = [threading.Thread(target=decide, args=case) for case in ((eve, "keep"), (dan, "split"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = eve.state()
    assert [one.status for one in state.standings.values()] == ["decided"] * 6
    assert len(refused) == 6  # one of two for each photo or part, and splits of pairs, which are no choice
    subjects = [one.subject for one in state.decisions if one.digest]
    assert len(subjects) == len(set(subjects)) == 6


def test_a_choice_that_contradicts_other_decisions_is_refused(small: Workspace) -> None:
    small.suspect("split", "", "merge", 0.5, identity="Ann", other_identity="Bob", target="Bob")
    small.write_audit()
    review = review_of(small)
    pairs = [key for key, suspect in review.state().suspects.items() if suspect.is_pair]
    review.decide(pairs[0], "merge", "")  # Cid into Ann
    review.decide(pairs[1], "merge", "")  # Bob into Cid
    with pytest.raises(DataInvalid, match=r"Not written: .*contradict each other: keep Ann apart from Bob"):
        review.decide(pairs[2], "keep", "")
    assert [row[1] for row in _written(small)] == ["merge", "merge"]


def test_changed_files_are_read_again_and_gone_photos_are_stale(small: Workspace) -> None:
    review = review_of(small)
    key = _keys(review.state())[0]
    ((digest, _),) = review.state().suspects[key].photos
    small.label[digest] = "Bob"
    small.write_data()
    state = review.state()
    assert state.standings[key].status == "stale"
    assert (state.progress[0].stale, state.progress[0].remaining) == (1, 5)
    assert digest in review.faces().photos["Bob"]
    with pytest.raises(DataInvalid, match=r"no longer there. Run `facenet audit` again"):
        review.decide(key, "keep", "")
    small.rows = small.rows[1:]
    small.write_audit()
    with pytest.raises(DataInvalid, match=r"no such suspect any more. Reload"):
        review.undo(key)


def test_the_rest_of_a_part_is_decided(small: Workspace) -> None:
    review = review_of(small)
    part = _keys(review.state())[4]
    (first, _), (second, _) = review.state().suspects[part].photos
    small.suspect("outlier", first, "drop", 0.5)
    small.write_audit()
    alone = next(
        k for k, s in review.state().suspects.items() if s.photos[:1] == ((first, ""),) and k != part
    )
    review.decide(alone, "drop", "")
    review.decide(part, "split", "Dan")
    assert [(one.digest, one.action) for one in read_decisions(small.decisions)] == [
        (first, "drop"),
        (second, "split"),
    ]


def test_times_for_people() -> None:
    assert minute("2026-12-01T09:30:59Z") == "2026-12-01 09:30 UTC"

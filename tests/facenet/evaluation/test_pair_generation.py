from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet.evaluation.pair_generation import generate_pairs
from facenet.evaluation.pairs import Pair, format_pairs, parse_pairs


def _people(count: int, photos: int) -> dict[str, list[int]]:
    return {f"s{person}": list(range(1, photos + 1)) for person in range(count)}


def _check(photos: dict[str, list[int]], pairs: list[Pair], folds: int, most: int) -> None:
    """Assert what must hold for any input."""
    found = sorted({pair.fold for pair in pairs})
    assert found == list(range(len(found)))
    assert len(found) <= folds
    counts = Counter((pair.fold, pair.same) for pair in pairs)
    assert len(set(counts.values())) <= 1
    assert max(counts.values(), default=0) <= most
    assert len({frozenset((p.left, p.right)) for p in pairs}) == len(pairs)
    homes: dict[str, int] = {}
    for pair in pairs:
        assert pair.same == (pair.left.identity == pair.right.identity)
        assert pair.left != pair.right
        for photo in (pair.left, pair.right):
            assert photo.number in photos[photo.identity]
            assert homes.setdefault(photo.identity, pair.fold) == pair.fold
    if pairs:
        assert parse_pairs(format_pairs(pairs).encode(), origin="x") == pairs


def test_ten_people_with_ten_photos_make_five_folds_of_all_same_pairs() -> None:
    photos = _people(10, 10)
    pairs = generate_pairs(photos, folds=10, pairs_per_fold=300, seed=666)
    _check(photos, pairs, 10, 300)
    assert len(pairs) == 5 * 2 * 90  # two people of a fold have 2 x 45 same pairs


def test_ten_people_per_fold_reach_the_requested_number() -> None:
    photos = _people(100, 20)
    pairs = generate_pairs(photos, folds=10, pairs_per_fold=300, seed=1)
    _check(photos, pairs, 10, 300)
    assert Counter((p.fold, p.same) for p in pairs) == {(f, s): 300 for f in range(10) for s in (True, False)}


def test_one_person_with_many_photos_does_not_dominate() -> None:
    photos = {"star": list(range(1, 501)), **_people(40, 5)}
    pairs = [p for p in generate_pairs(photos, folds=1, pairs_per_fold=100, seed=1) if p.same]
    assert len(pairs) == 100
    assert sum(pair.left.identity == "star" for pair in pairs) < 15  # not 99, the fraction of all pairs


def test_the_draw_depends_on_the_seed_only() -> None:
    photos = _people(30, 9)
    backwards = {name: numbers[::-1] for name, numbers in reversed(photos.items())}

    def draw(people: dict[str, list[int]], seed: int) -> list[Pair]:
        return generate_pairs(people, folds=3, pairs_per_fold=20, seed=seed)

    assert draw(photos, 1) == draw(backwards, 1)
    assert draw(photos, 1) != draw(photos, 2)


def test_golden_draw() -> None:
    pairs = generate_pairs(_people(4, 3), folds=2, pairs_per_fold=2, seed=666)
    assert format_pairs(pairs) == GOLDEN


GOLDEN = (
    "2\t2\ns0\t1\t2\ns1\t1\t3\ns0\t2\ts1\t1\ns0\t3\ts1\t2\ns2\t1\t3\ns2\t2\t3\ns2\t1\ts3\t3\ns2\t3\ts3\t3\n"
)


@pytest.mark.parametrize(
    "photos",
    [{}, _people(1, 10), _people(10, 1), {"a": [1, 2], "b": []}],
    ids=["nobody", "one person", "one photo each", "second person without photos"],
)
def test_too_few_people_or_photos_give_no_pairs(photos: dict[str, list[int]]) -> None:
    assert generate_pairs(photos, folds=10, pairs_per_fold=300, seed=0) == []


def test_people_with_one_photo_are_used_in_different_pairs() -> None:
    photos = {"a": [1, 2], "b": [7]}
    pairs = generate_pairs(photos, folds=10, pairs_per_fold=300, seed=0)
    assert (str(pairs[0].left), str(pairs[0].right)) == ("a/a_0001", "a/a_0002")
    assert [p.same for p in pairs] == [True, False]


@given(
    st.dictionaries(
        st.text("abcé李", min_size=1, max_size=3),
        st.lists(st.integers(1, 99), max_size=12, unique=True),
        max_size=12,
    ),
    st.integers(1, 6),
    st.integers(1, 30),
    st.integers(0, 9),
)
@settings(max_examples=100, deadline=None)
def test_pairs_of_any_people_follow_the_rules(
    photos: dict[str, list[int]], folds: int, most: int, seed: int
) -> None:
    _check(photos, generate_pairs(photos, folds=folds, pairs_per_fold=most, seed=seed), folds, most)

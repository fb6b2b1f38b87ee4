import pytest

from facenet.mining.split import split_identities

NAMES = [f"person {n}" for n in range(200)]


@pytest.mark.parametrize(("fraction", "count"), [(0.0, 0), (0.1, 20), (0.0125, 3), (0.5, 100), (1.0, 200)])
def test_the_fraction_is_rounded_to_people(fraction: float, count: int) -> None:
    assert len(split_identities(NAMES, fraction, 0)) == count


def test_order_does_not_matter_and_seeds_do() -> None:
    assert split_identities(NAMES, 0.3, 1) == split_identities(NAMES[::-1], 0.3, 1)
    assert split_identities(NAMES, 0.3, 1) != split_identities(NAMES, 0.3, 2)


def test_new_people_move_few_of_the_old() -> None:
    before = split_identities(NAMES, 0.5, 3)
    after = split_identities([*NAMES, "new 1", "new 2"], 0.5, 3)
    assert len(before - after) <= 2
    assert len((after - before) & set(NAMES)) <= 2


def test_no_people_give_an_empty_split() -> None:
    assert split_identities([], 0.5, 0) == set()

import numpy as np
import pytest

from facenet.mining.split import split_identities, split_images

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


@pytest.mark.parametrize(
    ("fraction", "held_out"),
    [(0.0, [0, 0, 0, 0]), (0.05, [0, 1, 1, 2]), (0.5, [0, 1, 5, 11]), (1.0, [0, 1, 9, 20])],
)
def test_images_of_each_person_are_held_out(fraction: float, held_out: list[int]) -> None:
    labels = np.repeat([3, 5, 7, 9], [1, 2, 10, 21])
    ids = [f"image {n}" for n in range(len(labels))]
    chosen = split_images(ids, labels, fraction, 4)
    assert [int(chosen[labels == label].sum()) for label in (3, 5, 7, 9)] == held_out


def test_held_out_images_depend_on_seed_and_name_alone() -> None:
    labels = np.repeat(np.arange(6), 20)
    ids = [f"image {n}" for n in range(len(labels))]
    chosen = split_images(ids, labels, 0.3, 1)
    order = np.random.default_rng(0).permutation(len(ids))
    assert np.array_equal(split_images([ids[n] for n in order], labels[order], 0.3, 1), chosen[order])
    assert not np.array_equal(split_images(ids, labels, 0.3, 2), chosen)

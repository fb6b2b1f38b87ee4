import numpy as np
import pytest

from facenet.errors import DataInvalid
from facenet.mining.offline import Indices
from facenet.mining.pk import PKPlan


def labels_of(counts: list[int]) -> Indices:
    """So many photos of each person, in mixed order."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)) * 7, counts))


def test_every_batch_has_p_people_with_k_photos_side_by_side() -> None:
    labels = labels_of([5, 9, 4, 1, 30, 6, 2, 3])
    plan = PKPlan(labels, people=3, images=4, seed=1)
    for epoch in range(5):
        batches = plan.batches(epoch)
        assert len(batches) == len(plan) == 59 // 12
        for batch in batches:
            people = labels[batch].reshape(3, 4)
            assert (people == people[:, :1]).all()
            assert len(np.unique(people[:, 0])) == 3
            for rows in batch.reshape(3, 4):
                count = int((labels == labels[rows[0]]).sum())
                assert len(np.unique(rows)) == min(4, count)


def test_single_photos_are_skipped_and_few_ones_repeated_and_both_are_counted() -> None:
    labels = labels_of([1, 1, 2, 3, 4, 8])
    plan = PKPlan(labels, people=2, images=4, seed=0)
    assert (plan.skipped, plan.repeated) == (2, 2)
    seen = np.unique(labels[np.concatenate([np.concatenate(plan.batches(e)) for e in range(20)])])
    assert seen.tolist() == [14, 21, 28, 35]


def test_people_occur_equally_often_whatever_their_number_of_photos() -> None:
    labels = labels_of([100, 4, 4, 4, 4, 4])
    plan = PKPlan(labels, people=3, images=4, seed=0)
    visits = np.concatenate([labels[batch][::4] for batch in plan.batches(0)])
    assert np.bincount(visits // 7).tolist() == [5, 5, 5, 5, 5, 5]


def test_all_photos_are_used_before_any_is_repeated() -> None:
    labels = labels_of([8, 8])
    plan = PKPlan(labels, people=2, images=4, seed=0)
    assert len(plan) == 2
    assert sorted(np.concatenate(plan.batches(3)).tolist()) == list(range(16))


def test_epochs_differ_and_are_a_function_of_seed_and_epoch() -> None:
    labels = labels_of([6] * 10)
    plan = PKPlan(labels, people=4, images=3, seed=5)
    first = np.concatenate(plan.batches(2))
    np.testing.assert_array_equal(first, np.concatenate(plan.batches(2)))
    np.testing.assert_array_equal(
        first, np.concatenate(PKPlan(labels, people=4, images=3, seed=5).batches(2))
    )
    assert not np.array_equal(first, np.concatenate(plan.batches(3)))
    assert not np.array_equal(first, np.concatenate(PKPlan(labels, people=4, images=3, seed=6).batches(2)))


def test_every_person_occurs_although_some_are_dropped_from_a_round() -> None:
    labels = labels_of([4] * 7)
    plan = PKPlan(labels, people=4, images=2, seed=0)
    seen = {int(label) for epoch in range(6) for batch in plan.batches(epoch) for label in labels[batch]}
    assert len(seen) == 7


def test_a_set_smaller_than_a_batch_still_makes_one() -> None:
    plan = PKPlan(labels_of([2, 2]), people=2, images=8, seed=0)
    assert len(plan) == 1
    assert [len(batch) for batch in plan.batches(0)] == [16]


@pytest.mark.parametrize("counts", [[], [9], [1, 1, 1], [5, 1]])
def test_too_few_people_with_two_photos(counts: list[int]) -> None:
    with pytest.raises(
        DataInvalid,
        match=r"needs 2 people per batch, but only [01] have two training photos.*people_per_batch",
    ):
        PKPlan(labels_of(counts).astype(np.int64), people=2, images=4, seed=0)

import numpy as np
import pytest

from facenet.errors import DataInvalid
from facenet.mining.listed import ListedPlan


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize(("batch_size", "rows"), [(1, 1), (6, None), (1000, 10)])
def test_groups_stay_together_and_come_once(width: int, batch_size: int, rows: int | None) -> None:
    groups = np.arange(10 * width).reshape(10, width)
    plan = ListedPlan(groups, batch_size=batch_size, seed=1)
    rows = rows or 6 // width
    batches = plan.batches(0)
    assert len(batches) == len(plan) == 10 // rows
    assert {batch.shape for batch in batches} == {(rows * width,)}
    seen = np.concatenate(batches).reshape(-1, width)
    assert len(np.unique(seen[:, 0])) == len(plan) * rows
    assert (seen == groups[seen[:, 0] // width]).all()


def test_epochs_differ_and_are_a_function_of_seed_and_epoch() -> None:
    groups = np.arange(40).reshape(20, 2)
    first, same, later, other = (
        np.concatenate(ListedPlan(groups, batch_size=4, seed=seed).batches(epoch))
        for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert (first == same).all()
    assert (first != later).any()
    assert (first != other).any()


def test_distinct_images_of_triplets_stay_together_and_come_once() -> None:
    triplets = np.arange(60).reshape(20, 3).astype(np.int64)
    plan = ListedPlan(triplets, batch_size=13, seed=1, distinct=True)  # four triplets a batch
    batches = plan.batches(1)
    assert len(batches) == len(plan) == 5
    assert all(len(batch) == 12 and set(batch // 3) == set(batch[batch % 3 == 0] // 3) for batch in batches)
    assert sorted(np.concatenate(batches).tolist()) == list(range(60))
    assert not np.array_equal(np.concatenate(plan.batches(2)), np.concatenate(batches))


def test_distinct_an_image_that_triplets_share_is_in_a_batch_once() -> None:
    plan = ListedPlan(np.array([[0, 1, 2], [0, 1, 3], [1, 0, 2]]), batch_size=90, seed=1, distinct=True)
    assert [batch.tolist() for batch in plan.batches(1)] == [[0, 1, 2, 3]]


@pytest.mark.parametrize("width", [2, 3])
def test_an_empty_plan_is_refused(width: int) -> None:
    with pytest.raises(DataInvalid, match="no pair or triplet"):
        ListedPlan(np.empty((0, width), dtype=np.int64), batch_size=4, seed=0)

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


def test_an_empty_plan_is_refused() -> None:
    with pytest.raises(DataInvalid, match="no pair or triplet"):
        ListedPlan(np.empty((0, 2), dtype=np.int64), batch_size=4, seed=0)

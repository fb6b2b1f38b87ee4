from dataclasses import replace

import numpy as np
import pytest

from facenet.mining.mined import MinedPlan, WholeSetMiner
from facenet.mining.offline import Embeddings, Indices

LABELS = np.repeat(np.arange(6), 5).astype(np.int64)
TABLE = (np.random.default_rng(0).normal(size=(30, 3)) * 0.6).astype(np.float32)
MINER = WholeSetMiner(labels=LABELS, margin=0.3, max_rows=10**6, seed=4)


def embed(rows: Indices, *, training: bool) -> Embeddings:
    assert not training
    return TABLE[rows]


def plan(miner: WholeSetMiner = MINER, batch_size: int = 9, **options: int | bool) -> MinedPlan:
    return MinedPlan(miner, batch_size=batch_size, seed=1, **options)


def test_the_whole_set_gives_each_pair_a_semihard_negative_of_the_current_network() -> None:
    triplets = MINER.triplets(1, embed)
    d_ap, d_an = (np.square(TABLE[triplets[:, 0]] - TABLE[triplets[:, i]]).sum(axis=1) for i in (1, 2))
    assert ((d_ap < d_an) & (d_an < d_ap + 0.3)).all()
    assert len(MINER) == 60 >= len(triplets) > 20
    np.testing.assert_array_equal(triplets, MINER.triplets(1, embed))
    assert not np.array_equal(triplets, MINER.triplets(2, embed)), "another epoch has another order"
    few = replace(MINER, max_rows=12)
    assert len(few) == 12 >= len(few.triplets(1, embed)) > 0


@pytest.mark.parametrize("distinct", [False, True])
def test_batches_are_those_of_the_epoch_that_was_mined(distinct: bool) -> None:
    mined = plan(distinct=distinct)
    mined.mine(3, embed)
    batches = mined.batches(3)
    assert 0 < len(batches) == len(mined.triplets) // 3 <= len(mined) == 60 // 3
    rows = {tuple(triplet) for triplet in mined.triplets.tolist()}
    for batch in batches:
        if distinct:
            assert len(set(batch)) == len(batch) <= 9
        else:
            assert {tuple(triplet) for triplet in batch.reshape(-1, 3).tolist()} <= rows
    with pytest.raises(ValueError, match="epoch 4 was not mined; the last mined epoch is 3"):
        mined.batches(4)


def test_triplets_of_a_checkpoint_form_the_same_batches() -> None:
    first, second = plan(), plan()
    first.mine(2, embed)
    second.set(2, first.triplets)
    assert [b.tolist() for b in first.batches(2)] == [b.tolist() for b in second.batches(2)]


def test_an_epoch_may_have_no_batch_and_none_too_small_to_share() -> None:
    mined = plan(least=4)
    mined.set(1, np.empty((0, 3), np.int64))
    assert mined.batches(1) == []
    mined.set(1, np.array([[0, 1, 5]]))
    assert mined.batches(1) == [], "three images are too few for four processes"
    mined.set(1, np.array([[0, 1, 5], [0, 2, 6]]))
    assert len(mined.batches(1)) == 1
    assert len(plan(batch_size=1000)) == 1

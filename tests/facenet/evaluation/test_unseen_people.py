"""Pairs of people trained on do not choose the threshold."""

import numpy as np

from facenet.evaluation.unseen_people import FEWEST, pairs_of_strangers


def test_scored_pairs_and_pairs_of_new_people_remain() -> None:
    same = np.arange(200) % 2 == 0
    fold = np.where(np.arange(200) < 20, 0, -1).astype(np.int32)
    known = np.arange(200) % 5 == 0
    stay = pairs_of_strangers(same, fold, known)
    assert stay is not None
    assert [bool(s) for s in stay] == [f == 0 or not k for f, k in zip(fold, known, strict=True)]


def test_too_few_pairs_of_a_class_return_none() -> None:
    same = np.arange(2 * FEWEST) < FEWEST
    fold, nobody = np.full(2 * FEWEST, -1, np.int32), np.zeros(2 * FEWEST, bool)
    assert pairs_of_strangers(same, fold, nobody) is not None
    for known in (0, 2 * FEWEST - 1):
        somebody = nobody.copy()
        somebody[known] = True
        assert pairs_of_strangers(same, fold, somebody) is None


def test_without_fold_minus_one_there_is_nothing_to_leave_out() -> None:
    assert pairs_of_strangers(np.ones(9, bool), np.zeros(9, np.int32), np.ones(9, bool)) is None

"""Thresholds of the training folds, evaluated on the held-out fold, against loops."""

import numpy as np
import pytest

from facenet.evaluation.operating_points import _redecide, operating_points
from facenet.evaluation.protocol import Measured, PairRows


def measured(folds: int = 4, per_fold: int = 100, seed: int = 0) -> Measured:
    """Distances that vary slightly between folds, as after mean subtraction."""
    random, count = np.random.default_rng(seed), folds * per_fold
    same = np.tile(np.arange(per_fold) < per_fold // 2, folds)
    rows = np.arange(count)
    pairs = PairRows(
        left=rows, right=rows, same=same, fold=np.repeat(np.arange(folds, dtype=np.int32), per_fold)
    )
    distances = random.normal(np.where(same, 1.0, 1.8), 0.3) + random.normal(0, 0.01, (folds, count))
    return Measured(pairs=pairs, scored=np.arange(folds, dtype=np.int32), distances=distances)


def test_points_by_hand() -> None:
    sample = measured()
    same, fold = sample.pairs.same, sample.pairs.fold
    people = np.arange(len(same))
    points = operating_points(sample, people, people, fars=(0.1, 0.02), draws=50)
    for point, far in zip(points, (0.1, 0.02), strict=True):
        thresholds, false, true = [], 0, 0
        for number in range(4):
            row, test = sample.distances[number], fold == number
            negatives = sorted(row[~test & ~same])
            thresholds.append(negatives[int(far * len(negatives) + 1e-9)])
            false += sum(row[test & ~same] < thresholds[-1])
            true += sum(row[test & same] < thresholds[-1])
        assert point.far_target == far
        assert point.threshold == pytest.approx(np.mean(thresholds))
        assert (point.false_accepts, point.true_accepts) == (false, true)
        assert (point.negatives, point.positives) == (200, 200)
        assert (point.far, point.val) == (false / 200, true / 200)
        assert point.far_interval[0] < point.far < point.far_interval[1]
        assert point.val_interval[0] < point.val < point.val_interval[1]


def test_supported_needs_thirty_expected_errors_among_pairs_of_people() -> None:
    sample = measured(folds=3, per_fold=200)
    people = np.arange(600)
    points = operating_points(sample, people, people, fars=(0.1, 0.099, 1e-4), draws=10)
    assert [point.supported for point in points] == [True, False, False]
    assert points[-1].negatives == 300
    assert points[-1].far_interval[1] > 0.01  # no error in 300 pairs does not prove a low rate


def test_many_photos_of_few_people_support_nothing() -> None:
    """10 people: FAR 0.1 of 400 different pairs was called supported, with an interval of 400 trials."""
    sample = measured(per_fold=200)
    left = np.arange(800) % 10
    right = np.where(sample.pairs.same, left, (left + 1 + np.arange(800) // 10 % 9) % 10)
    point = operating_points(sample, left, right, fars=(0.1,), draws=50)[0]
    assert (point.negatives, point.size.people, point.positive_people) == (400, 10, 10)
    assert point.size.people_pairs <= 45
    assert not point.supported
    clean = operating_points(sample, left, right, fars=(1e-6,), draws=50)[0]
    assert clean.far_interval[1] > 1 / point.size.people_pairs  # no error in 45 pairs of people


def test_pairs_that_share_people_widen_the_interval() -> None:
    sample = measured(per_fold=200)
    alone = np.arange(800)
    grouped = np.argsort(np.argsort(sample.distances[0])) // 100  # the hard pairs share people
    narrow, wide = (
        operating_points(sample, people, people, fars=(0.1,), draws=200)[0].val_interval
        for people in (alone, grouped)
    )
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_fold_minus_one_only_chooses_thresholds() -> None:
    sample = measured(folds=2)
    fold = np.where(sample.pairs.fold == 1, 0, -1).astype(np.int32)
    pairs = PairRows(left=sample.pairs.left, right=sample.pairs.right, same=sample.pairs.same, fold=fold)
    view_1 = Measured(pairs=pairs, scored=np.zeros(1, np.int32), distances=sample.distances[:1])
    people = np.arange(200)
    (point,) = operating_points(view_1, people, people, fars=(0.1,), draws=10)
    assert (point.negatives, point.positives) == (50, 50)


def test_draws_choose_thresholds_on_the_weighted_sample() -> None:
    """A pair of weight 2 counts as two pairs, one of weight 0 as none."""
    sample = measured(per_fold=40)
    same, fold, count = sample.pairs.same, sample.pairs.fold, 160
    weights = np.random.default_rng(5).integers(0, 3, (3, count)).astype(float)
    found = _redecide(sample, (0.1, 0.03), weights)
    for draw in range(3):
        for place, far in enumerate((0.1, 0.03)):
            for number in range(4):
                row, test = sample.distances[number], fold == number
                repeated = np.repeat(row, (weights[draw] * (~test & ~same)).astype(int))
                threshold = np.sort(repeated)[int(far * len(repeated) + 1e-9)]
                assert np.array_equal(found[place, draw, test], (row[test] < threshold) & same[test])


def test_the_interval_covers_val_at_the_target_rate() -> None:
    """200 different pairs, 4 of which may be accepted: most of the uncertainty is that of the threshold."""
    covered, trials = 0, 60
    people, truth = np.arange(400), 0.7295  # of N(1, 0.3) below where 2 % of N(1.8, 0.3) are
    for trial in range(trials):
        points = operating_points(measured(seed=trial), people, people, fars=(0.02,), draws=150)
        low, high = points[0].val_interval
        covered += low <= truth <= high
    assert covered >= 0.88 * trials

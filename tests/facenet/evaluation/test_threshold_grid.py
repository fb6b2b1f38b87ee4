"""davidsandberg's search over two grids, by loops."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from facenet.evaluation.threshold_grid import (
    ACCURACY_GRID,
    VAL_GRID,
    far_threshold,
    max_accuracy_grid_threshold,
    mean_curve,
)
from facenet.evaluation.thresholds import Flags, Floats


def sample(seed: int, count: int = 80) -> tuple[Floats, Flags]:
    random = np.random.default_rng(seed)
    same = random.random(count) < 0.5
    return np.round(random.normal(np.where(same, 1.0, 1.6), 0.4), 2).clip(0), same


def test_grids() -> None:
    assert len(ACCURACY_GRID) == 400
    assert len(VAL_GRID) == 4000
    assert ACCURACY_GRID[1] == 0.01
    assert VAL_GRID[-1] == pytest.approx(3.999)


@pytest.mark.parametrize("seed", range(10))
def test_best_threshold_is_the_lowest_of_equally_good_ones(seed: int) -> None:
    distances, same = sample(seed)
    accuracies = [np.mean((distances < t) == same) for t in ACCURACY_GRID]
    assert max_accuracy_grid_threshold(distances, same) == ACCURACY_GRID[int(np.argmax(accuracies))]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("far", [0.01, 0.1, 0.25])
def test_far_threshold_is_scipys_linear_spline(seed: int, far: float) -> None:
    """SciPy of 2018 built the spline from repeated values; BSpline still evaluates it."""
    distances, same = sample(seed)
    shares = np.array([np.mean(distances[~same] < t) for t in VAL_GRID])
    spline = BSpline(np.r_[shares[0], shares, shares[-1]], VAL_GRID, 1)
    assert far_threshold(distances, same, far) == pytest.approx(float(spline(far)), abs=1e-12)


def test_far_beyond_the_grid_is_zero() -> None:
    distances, same = np.array([3.0, 5.0, 6.0, 7.0]), np.zeros(4, bool)
    assert far_threshold(distances, same, 0.3) == 0
    assert far_threshold(distances, same, 0.25) == pytest.approx(3.999)
    assert far_threshold(distances, ~same, 0.3) == 0


def test_mean_curve_averages_folds() -> None:
    folds = [sample(seed, 30) for seed in (1, 2, 3)]
    curve = mean_curve(folds)
    for index in range(0, 400, 7):
        t = ACCURACY_GRID[index]
        assert curve.far[index] == pytest.approx(np.mean([np.mean(d[~s] < t) for d, s in folds]))
        assert curve.tpr[index] == pytest.approx(np.mean([np.mean(d[s] < t) for d, s in folds]))


def test_rate_of_a_fold_without_that_class_is_zero() -> None:
    curve = mean_curve([(np.array([1.0]), np.array([True])), (np.array([1.0]), np.array([False]))])
    assert curve.tpr[-1] == 0.5
    assert curve.far[-1] == 0.5

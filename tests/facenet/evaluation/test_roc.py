"""ROC, area and equal error rate against their definitions."""

import numpy as np
import pytest

from facenet.evaluation.roc import Curve, exact_curve
from facenet.evaluation.thresholds import Flags, Floats


def sample(seed: int, count: int = 50) -> tuple[Floats, Flags]:
    random = np.random.default_rng(seed)
    same = np.arange(count) % 2 == 0
    return np.round(random.normal(np.where(same, 1.0, 1.5), 0.4), 1 + seed % 3), same


@pytest.mark.parametrize("seed", range(20))
def test_area_is_the_probability_that_a_same_pair_is_nearer(seed: int) -> None:
    distances, same = sample(seed)
    wins = [(s < d) + 0.5 * (s == d) for s in distances[same] for d in distances[~same]]
    assert exact_curve(distances, same).auc() == pytest.approx(np.mean(wins), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_points_are_the_rates_at_every_threshold(seed: int) -> None:
    distances, same = sample(seed)
    curve = exact_curve(distances, same)
    points = {(round(f, 12), round(t, 12)) for f, t in zip(curve.far, curve.tpr, strict=True)}
    for threshold in [0, *(np.unique(distances) + 1e-6)]:
        rates = np.mean(distances[~same] < threshold), np.mean(distances[same] < threshold)
        assert (round(float(rates[0]), 12), round(float(rates[1]), 12)) in points
    assert len(points) == len(np.unique(distances)) + 1


@pytest.mark.parametrize("seed", range(20))
def test_error_rates_are_equal_at_the_equal_error_rate(seed: int) -> None:
    curve = exact_curve(*sample(seed))
    eer = curve.eer()
    assert 0 < eer < 0.5
    below = curve.tpr[curve.far <= eer + 1e-12].max()
    above = curve.tpr[curve.far >= eer - 1e-12].min()
    assert min(below, above) - 1e-12 <= 1 - eer <= max(below, above) + 1e-12


def test_known_curves() -> None:
    perfect = exact_curve(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))
    assert (perfect.auc(), perfect.eer()) == (1, 0)
    worst = exact_curve(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert (worst.auc(), worst.eer()) == (0, 1)
    blind = exact_curve(np.ones(6), np.arange(6) % 2 == 0)
    assert (blind.auc(), blind.eer()) == (0.5, 0.5)


def test_curve_that_ends_early_still_has_an_equal_error_rate() -> None:
    assert Curve(np.array([0.0, 0.1]), np.array([0.0, 0.4])).eer() == pytest.approx(0.4)


def test_a_single_class_raises() -> None:
    with pytest.raises(ValueError, match="same and different"):
        exact_curve(np.array([1.0, 2.0]), np.array([True, True]))


@pytest.mark.parametrize("seed", range(10))
def test_corners_alone_give_the_same_area(seed: int) -> None:
    curve = exact_curve(*sample(seed, 300))
    thin = curve.thinned(10_000)
    assert len(thin.far) < len(curve.far) or seed % 3 == 0
    assert thin.auc() == pytest.approx(curve.auc(), abs=1e-12)
    assert thin.eer() == pytest.approx(curve.eer(), abs=1e-12)


def test_thinned_keeps_the_ends_and_the_number() -> None:
    curve = exact_curve(*sample(2, 2000)).thinned(20)
    assert len(curve.far) == 20
    assert (curve.far[0], curve.tpr[0], curve.far[-1], curve.tpr[-1]) == (0, 0, 1, 1)
    assert (np.diff(curve.far) >= 0).all()


def test_thinned_drops_repeated_points_and_keeps_the_corner_between() -> None:
    curve = Curve(np.array([0.0, 0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0, 1.0])).thinned(9)
    assert list(zip(curve.far, curve.tpr, strict=True)) == [(0, 0), (0, 1), (1, 1)]
    assert len(Curve(np.zeros(3), np.zeros(3)).thinned(5).far) == 1

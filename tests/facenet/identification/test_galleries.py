"""Against all galleries drawn one by one, and against fresh people."""

from itertools import combinations

import numpy as np
import pytest

from facenet.evaluation.distances import Floats, Metric, cross_distances, unit_rows
from facenet.identification.galleries import fpir_interval, measure_galleries, nearest_weights
from facenet.identification.probes import choose_probes

METRICS: tuple[Metric, ...] = ("cosine", "arccos", "euclidean_squared")


def people(count: int, photos: int, *, seed: int, width: int = 12) -> tuple[Floats, list[str]]:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, 1, width))
    vectors = (centres + random.normal(scale=0.6, size=(count, photos, width))).reshape(-1, width)
    return vectors, [f"P{person:04d}" for person in range(count) for _ in range(photos)]


@pytest.mark.parametrize("metric", METRICS)
def test_rates_equal_those_of_all_galleries(metric: Metric) -> None:
    vectors, names = people(7, 2, seed=0)
    names[-1] = "alone"  # two people with a single photo
    found = measure_galleries(vectors, names, metric, seed=5, fpirs=(0.5, 0.25, 0.1))
    assert found is not None
    rows = vectors.astype(np.float32) if metric == "euclidean_squared" else unit_rows(vectors)
    chosen = choose_probes(names, 5)
    distances = cross_distances(rows[chosen.rows], rows[chosen.enrolled], metric)
    everyone = range(8)
    for point in found.points:
        accepted, hits, first = [], [], []
        for probe, person in enumerate(chosen.people):
            others = [p for p in everyone if p != person]
            inside = [
                distances[probe, list(gallery)].min() < point.threshold
                for gallery in combinations(others, point.photos)
            ]
            accepted.append(np.mean(inside))
            if chosen.genuine[probe]:
                own = distances[probe, person]
                ahead = [
                    own < min((distances[probe, p] for p in gallery), default=np.inf)
                    for gallery in combinations(others, point.photos - 1)
                ]
                first.append(np.mean(ahead))
                hits.append(first[-1] * (own < point.threshold))
        assert np.mean(accepted) <= point.fpir_target + 1e-6
        assert point.rank1 == pytest.approx(np.mean(first), abs=1e-9)
        assert point.tpir == pytest.approx(np.mean(hits), abs=1e-9)
    assert found.calibration.thresholds == ()  # eight people support no rate
    assert (found.probes, found.probe_people) == (8, 6)


@pytest.mark.parametrize(("others", "size"), [(1, 1), (6, 1), (6, 3), (6, 6), (4000, 1024)])
def test_weights_are_a_distribution(others: int, size: int) -> None:
    weights = nearest_weights(others, size)
    assert weights.shape == (others,)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] == pytest.approx(size / others)  # the nearest person is in the gallery
    assert (np.diff(weights) <= 1e-15).all()


def test_the_threshold_holds_for_other_people() -> None:
    vectors, names = people(150, 2, seed=1)
    found = measure_galleries(vectors, names, "cosine", seed=0)
    assert found is not None
    fresh = unit_rows(people(600, 1, seed=2)[0])
    for size in (1, 8, 32):
        threshold = found.calibration.threshold(0.1, size)
        nearest = [
            (1 - fresh[start + size : start + 2 * size] @ fresh[start : start + size].T).min(axis=1)
            for start in range(0, 600 - 2 * size + 1, 2 * size)
        ]
        assert (np.concatenate(nearest) < threshold).mean() == pytest.approx(0.1, abs=0.05)


def test_thresholds_fall_with_the_size_and_the_rate() -> None:
    found = measure_galleries(*people(60, 3, seed=1), "cosine", seed=0)
    assert found is not None
    table = np.array(found.calibration.thresholds)
    assert table.shape == (6, 6)
    assert (np.diff(table, axis=0) <= 0).all()
    assert (np.diff(table, axis=1) <= 0).all()
    supported = {(p.photos, p.fpir_target) for p in found.points if p.supported}
    assert supported == {
        (1, 0.3),
        (2, 0.3),
        (4, 0.3),
        (8, 0.3),
        (16, 0.3),
        (1, 0.1),
        (2, 0.1),
        (4, 0.1),
        (1, 0.03),
    }
    assert found.calibration.slope > 0


def test_the_same_seed_gives_the_same_measurement() -> None:
    vectors, names = people(50, 3, seed=1)
    first = measure_galleries(vectors, names, "cosine", seed=4)
    assert measure_galleries(vectors, names, "cosine", seed=4) == first
    assert measure_galleries(vectors, names, "cosine", seed=5) != first


def test_nothing_to_measure() -> None:
    vectors, names = people(3, 1, seed=0)
    assert measure_galleries(vectors, names, "cosine", seed=0) is None  # no two photos of one person
    assert measure_galleries(vectors, ["a"] * 3, "cosine", seed=0) is None  # no two people
    assert measure_galleries(vectors[:0], [], "cosine", seed=0) is None


def test_distances_that_tell_nothing_give_no_evidence() -> None:
    vectors = np.random.default_rng(0).normal(size=(600, 12))
    found = measure_galleries(vectors, [f"P{row // 2}" for row in range(600)], "cosine", seed=0)
    assert found is not None
    ratios = found.calibration.likelihood_ratios([0.3, 1.7])
    assert 0.5 < ratios[1] <= ratios[0] < 2


def test_intervals_narrow_with_people() -> None:
    few, many = fpir_interval(0.1, 8, 80), fpir_interval(0.1, 8, 800)
    assert few[0] < many[0] < 0.1 < many[1] < few[1]

"""The protocol against an independent davidsandberg evaluation, and its errors."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from facenet.errors import PairsFileInvalid
from facenet.evaluation.distances import Floats, Metric
from facenet.evaluation.protocol import PairRows, Protocol, Verification, verify
from tests.facenet.evaluation import davidsandberg


def sample(
    folds: int = 10, per_fold: int = 30, width: int = 16, seed: int = 0, noise: float = 1.0
) -> tuple[Floats, PairRows]:
    """Noisy points per person on the sphere, in folds of half same, half different pairs."""
    random = np.random.default_rng(seed)
    people = np.repeat(random.normal(0.3, 1, (folds * per_fold // 3, width)), 2, axis=0)
    photos = people + random.normal(0, noise, people.shape)
    embeddings = (photos / np.linalg.norm(photos, axis=1, keepdims=True)).astype(np.float32)
    same = np.tile(np.arange(per_fold) < per_fold // 2, folds)
    left = random.integers(0, len(photos), folds * per_fold)
    other = (left + 2 * random.integers(1, len(photos) // 2, len(left))) % len(photos)
    fold = np.repeat(np.arange(folds, dtype=np.int32), per_fold)
    pairs = PairRows(left=left, right=np.where(same, left ^ 1, other), same=same, fold=fold)
    return embeddings.astype(np.float64), pairs


@pytest.mark.parametrize("metric", ["euclidean_squared", "arccos"])
@pytest.mark.parametrize("subtract_mean", [True, False])
@pytest.mark.parametrize(("seed", "far"), [(0, 1e-3), (1, 0.05)])
def test_grid_reproduces_davidsandberg(metric: Metric, subtract_mean: bool, seed: int, far: float) -> None:
    embeddings, pairs = sample(seed=seed)
    protocol = Protocol(metric=metric, subtract_mean=subtract_mean, sweep="grid", far=far)
    found = verify(embeddings, pairs, protocol).metrics()
    one, two = embeddings[pairs.left], embeddings[pairs.right]
    expected = davidsandberg.evaluate(one, two, pairs, metric, subtract_mean=subtract_mean, far=far)
    assert 0.6 < expected["accuracy"] < 0.99  # neither trivial nor random
    assert expected["accuracy_std"] > 0
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize("metric", ["euclidean_squared", "arccos", "cosine"])
@pytest.mark.parametrize("subtract_mean", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_exact_sweep_is_never_worse_on_the_training_folds(
    metric: Metric, subtract_mean: bool, seed: int
) -> None:
    embeddings, pairs = sample(seed=seed)
    exact, grid = (
        verify(embeddings, pairs, Protocol(metric=metric, sweep=sweep, subtract_mean=subtract_mean))
        for sweep in ("exact", "grid")
    )
    one, two, better = embeddings[pairs.left], embeddings[pairs.right], 0
    for ours, theirs in zip(exact.folds, grid.folds, strict=True):
        training = pairs.fold != ours.fold
        distance = davidsandberg.distances(one, two, training, metric, subtract_mean)[training]
        correct = [((distance < s.threshold) == pairs.same[training]).sum() for s in (ours, theirs)]
        assert correct[0] >= correct[1]
        better += int(correct[0] > correct[1])
    assert better or metric == "euclidean_squared"  # the grid is too coarse for the others


def test_threshold_never_comes_from_the_scored_fold() -> None:
    """Flipping the labels of one fold changes the threshold of every other fold only."""
    embeddings, pairs = sample()
    flipped = dataclasses.replace(pairs, same=np.where(pairs.fold == 3, ~pairs.same, pairs.same))
    before, after = (verify(embeddings, p, Protocol(far=0.1)) for p in (pairs, flipped))
    assert before.folds[3].threshold == after.folds[3].threshold
    assert before.folds[3].val_threshold == after.folds[3].val_threshold
    assert after.folds[3].accuracy == pytest.approx(1 - before.folds[3].accuracy)


def test_mean_never_comes_from_the_scored_fold() -> None:
    embeddings, pairs = sample(folds=2, per_fold=12)
    private = np.setdiff1d(
        np.concatenate([pairs.left[pairs.fold == 0], pairs.right[pairs.fold == 0]]),
        np.concatenate([pairs.left[pairs.fold == 1], pairs.right[pairs.fold == 1]]),
    )
    moved = embeddings.copy()
    moved[private[0]] = -moved[private[0]]
    touched = (pairs.left == private[0]) | (pairs.right == private[0])
    before, after = (verify(e, pairs, Protocol(metric="cosine")) for e in (embeddings, moved))
    untouched = (pairs.fold == 0) & ~touched
    assert np.allclose(before.distances[untouched], after.distances[untouched], rtol=0, atol=1e-14)
    assert not np.allclose(before.distances[pairs.fold == 1], after.distances[pairs.fold == 1])


def view_1() -> tuple[Floats, PairRows]:
    """Four folds: the last is scored, the others only choose the threshold."""
    embeddings, pairs = sample(folds=4, per_fold=60)
    return embeddings, dataclasses.replace(pairs, fold=np.where(pairs.fold == 3, 0, -1).astype(np.int32))


def test_view_1_scores_one_fold_with_the_threshold_of_the_other_pairs() -> None:
    embeddings, pairs = view_1()
    result = verify(embeddings, pairs, Protocol())
    (score,) = result.folds
    training = pairs.fold == -1
    distances = verify(embeddings, sample(folds=4, per_fold=60)[1], Protocol()).distances
    decided = (distances[training] < score.threshold) == pairs.same[training]
    best = max(((distances[training] < t) == pairs.same[training]).sum() for t in distances[training])
    assert decided.sum() >= best
    assert score.accuracy == ((distances < score.threshold) == pairs.same)[~training].mean()
    assert np.isnan(result.distances[training]).all()
    metrics = result.metrics()
    assert metrics["accuracy_std"] == 0
    assert metrics["accuracy_standard_error"] is metrics["val_standard_error"] is None
    low, high = result.accuracy_interval()
    assert low < score.accuracy < high
    assert high - low == pytest.approx(
        2 * 1.96 * math.sqrt(score.accuracy * (1 - score.accuracy) / 60), rel=0.1
    )


def test_fold_numbers_may_have_gaps() -> None:
    """A fold that lost all its pairs is not scored; the others keep their numbers."""
    embeddings, pairs = sample(folds=4)
    kept = pairs.fold != 2
    left = PairRows(
        left=pairs.left[kept], right=pairs.right[kept], same=pairs.same[kept], fold=pairs.fold[kept]
    )
    result = verify(embeddings, left, Protocol())
    assert [score.fold for score in result.folds] == [0, 1, 3]


def test_fold_of_one_kind_does_not_count_for_the_other_rate() -> None:
    embeddings, pairs = sample(folds=3)
    kept = (pairs.fold != 1) | pairs.same
    result = verify(
        embeddings,
        PairRows(
            left=pairs.left[kept], right=pairs.right[kept], same=pairs.same[kept], fold=pairs.fold[kept]
        ),
        Protocol(far=0.2),
    )
    assert math.isnan(result.folds[1].far)
    metrics = result.metrics()
    assert metrics["far"] == pytest.approx((result.folds[0].far + result.folds[2].far) / 2)
    assert metrics["val"] == pytest.approx(np.mean([score.val for score in result.folds]))


@pytest.mark.parametrize(
    ("metric", "sweep", "subtract_mean"),
    [*itertools.product(["euclidean_squared", "arccos", "cosine"], ["exact", "grid"], [True, False])],
)
def test_perfect_embeddings(metric: Metric, sweep: str, subtract_mean: bool) -> None:
    embeddings, pairs = sample(noise=0.01)
    result = verify(
        embeddings,
        pairs,
        Protocol(metric=metric, sweep="exact" if sweep == "exact" else "grid", subtract_mean=subtract_mean),
    )
    metrics = result.metrics()
    assert (metrics["accuracy"], metrics["accuracy_std"], metrics["auc"]) == (1, 0, pytest.approx(1))
    assert metrics["eer"] == pytest.approx(0, abs=1e-12)
    assert _finite(result)


@pytest.mark.parametrize("metric", ["euclidean_squared", "arccos", "cosine"])
def test_collapsed_embeddings_are_random(metric: Metric) -> None:
    embeddings, pairs = sample()
    result = verify(np.tile(embeddings[:1], (len(embeddings), 1)), pairs, Protocol(metric=metric))
    metrics = result.metrics()
    assert (metrics["accuracy"], metrics["auc"], metrics["eer"]) == (0.5, 0.5, 0.5)
    assert _finite(result)


def _finite(result: Verification) -> bool:
    return all(math.isfinite(value) for value in result.metrics().values() if value is not None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fold": np.full(20, -1, np.int32)}, "no pairs to score"),
        ({"same": np.ones(20, bool)}, "All 20 scored pairs show the same person"),
        ({"same": np.zeros(20, bool)}, "different people"),
        ({"fold": np.zeros(20, np.int32)}, "threshold_pairs"),
        ({"same": np.arange(20) < 10}, "All 10 usable pairs outside fold 0 show different people"),
        ({"same": np.arange(20) < 12}, "All 10 usable pairs outside fold 1 show the same person"),
    ],
)
def test_unscorable_pairs_raise(change: dict[str, object], message: str) -> None:
    embeddings, pairs = sample(folds=2, per_fold=10, width=4)
    with pytest.raises(PairsFileInvalid, match=message):
        verify(embeddings, dataclasses.replace(pairs, **change), Protocol())

"""Distances and flips against naive loops, including undefined cosines."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from facenet.evaluation import distances
from facenet.evaluation.distances import (
    Floats,
    Metric,
    combine_flips,
    cross_distances,
    pair_distances,
    unit_rows,
)


def unit(count: int, width: int, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(count, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def naive(a: Floats, b: Floats, mean: Floats, metric: Metric) -> float:
    a, b = a - mean, b - mean
    if metric == "euclidean_squared":
        return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    cosine = sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)
    return 1 - cosine if metric == "cosine" else math.acos(max(-1, min(1, cosine))) / math.pi


@pytest.mark.parametrize("metric", ["euclidean_squared", "arccos", "cosine"])
def test_distances_equal_a_loop(metric: Metric) -> None:
    embeddings, random = unit(40, 7), np.random.default_rng(1)
    left, right = random.integers(0, 40, (2, 60))
    right = np.where(left == right, (right + 1) % 40, right)  # acos is steep at equal embeddings
    means = random.normal(0, 0.3, (3, 7))
    found = pair_distances(embeddings, left, right, metric, means)
    assert found.shape == (3, 60)
    for mean, row in zip(means, found, strict=True):
        expected = [
            naive(embeddings[a], embeddings[b], mean, metric) for a, b in zip(left, right, strict=True)
        ]
        assert np.allclose(row, expected, rtol=0, atol=1e-12)
    plain = pair_distances(embeddings, left, right, metric)
    expected = [
        naive(embeddings[a], embeddings[b], np.zeros(7), metric) for a, b in zip(left, right, strict=True)
    ]
    assert plain.shape == (1, 60)
    assert np.allclose(plain[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("metric", ["euclidean_squared", "arccos", "cosine"])
def test_a_photo_with_itself(metric: Metric) -> None:
    embeddings = unit(5, 512).astype(np.float32).astype(np.float64)  # cosines slightly above 1
    rows = np.arange(5)
    found = pair_distances(embeddings, rows, rows, metric, np.zeros((1, 512)))
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 1e-7


@pytest.mark.parametrize(("metric", "value"), [("euclidean_squared", 0.0), ("arccos", 0.5), ("cosine", 1.0)])
def test_collapsed_embeddings_have_no_direction(metric: Metric, value: float) -> None:
    embeddings = np.tile(unit(1, 8), (4, 1))
    found = pair_distances(embeddings, np.array([0, 1]), np.array([2, 3]), metric, embeddings[:1])
    assert found.tolist() == [[value, value]]


def test_chunks_do_not_change_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = unit(9, 4)
    left, right = np.random.default_rng(2).integers(0, 9, (2, 11))
    whole = pair_distances(embeddings, left, right, "cosine")
    monkeypatch.setattr(distances, "CHUNK_ROWS", 3)
    assert np.array_equal(pair_distances(embeddings, left, right, "cosine"), whole)


def test_no_pairs() -> None:
    none: npt.NDArray[np.int64] = np.empty(0, np.int64)
    assert pair_distances(unit(2, 3), none, none, "arccos").shape == (1, 0)


def test_flips() -> None:
    face, mirrored = unit(6, 5).astype(np.float32), unit(6, 5, seed=1).astype(np.float32)
    assert np.array_equal(combine_flips(face, None, "none"), face.astype(np.float64))
    both = combine_flips(face, mirrored, "concatenate")
    assert both.shape == (6, 10)
    assert both.dtype == np.float64
    assert np.allclose((both**2).sum(axis=1), 2)
    added = combine_flips(face, mirrored, "add")
    assert np.allclose(np.linalg.norm(added, axis=1), 1)
    assert np.allclose(np.cross(added[:, :3], (face + mirrored)[:, :3]), 0, atol=1e-6)  # the same direction


def test_a_mirror_image_that_cancels_the_face_is_finite() -> None:
    assert combine_flips(unit(1, 3), -unit(1, 3), "add").tolist() == [[0, 0, 0]]


def test_the_mean_of_raw_embeddings_weights_them_by_length_and_keeps_it() -> None:
    face, mirrored = 3 * unit(4, 5), unit(4, 5, seed=1)
    mean = combine_flips(face, mirrored, "mean")
    assert np.allclose(
        mean, [[(a + b) / 2 for a, b in zip(x, y, strict=True)] for x, y in zip(face, mirrored, strict=True)]
    )
    assert not np.allclose(np.linalg.norm(mean, axis=1), 1)
    added = combine_flips(face, mirrored, "add")
    left, right = np.array([0, 1]), np.array([2, 3])
    for metric in ("cosine", "arccos"):
        assert np.allclose(
            pair_distances(mean, left, right, metric), pair_distances(added, left, right, metric)
        )
    assert not np.allclose(
        pair_distances(mean, left, right, "euclidean_squared"),
        pair_distances(added, left, right, "euclidean_squared"),
    )


@pytest.mark.parametrize("flip", ["concatenate", "add", "mean"])
def test_missing_mirror_images_raise(flip: distances.Flip) -> None:
    with pytest.raises(ValueError, match="mirrored"):
        combine_flips(unit(1, 3), None, flip)


@pytest.mark.parametrize("metric", ["cosine", "arccos", "euclidean_squared"])
def test_cross_distances_are_those_of_pairs(metric: distances.Metric) -> None:
    rows = np.random.default_rng(0).normal(size=(7, 5))
    rows = rows if metric == "euclidean_squared" else unit_rows(rows).astype(np.float64)
    crossed = cross_distances(rows[:3], rows[3:], metric)
    left, right = (index.ravel() for index in np.indices((3, 4)))
    assert np.allclose(crossed.ravel(), pair_distances(rows, left, right + 3, metric)[0], atol=1e-6)


def test_rows_without_a_direction_become_zero() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [1e-13, 0.0]]))
    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0, 0]]))

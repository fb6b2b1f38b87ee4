"""The nearest templates are those of a naive search over all of them."""

import numpy as np
import pytest

from facenet.evaluation.distances import Metric, pair_distances
from service.gallery import Snapshot
from service.gallery import nearest as module
from service.gallery.nearest import nearest

RANDOM = np.random.default_rng(3)


def snapshot(templates: np.ndarray) -> Snapshot:
    count = len(templates)
    owners = np.arange(count) // 2
    names = tuple(f"person {number}" for number in range(count // 2 + 1))
    return Snapshot(1, templates, owners, np.arange(count) + 1, names, np.arange(len(names)) + 1)


@pytest.mark.parametrize("metric", ["cosine", "arccos", "euclidean_squared"])
@pytest.mark.parametrize("queries", [1, 7])
@pytest.mark.parametrize("k", [1, 5, 41, 100])
def test_the_order_is_that_of_the_evaluated_distance(
    metric: Metric, queries: int, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PRODUCTS", 60)  # blocks of 12 templates for 5 queries
    monkeypatch.setattr(module, "QUERIES", 5)
    templates = RANDOM.normal(size=(41, 12)).astype(np.float32)
    asked = RANDOM.normal(size=(queries, 12)).astype(np.float32)
    if metric != "euclidean_squared":
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    found = nearest(snapshot(templates), asked, k, metric)
    rows = np.concatenate([asked, templates]).astype(np.float64)
    for number in range(queries):
        left, right = np.full(41, number), queries + np.arange(41)
        distances = pair_distances(rows, left, right, metric)[0]
        order = np.argsort(distances)[:k]
        assert found.rows[number].tolist() == order.tolist()
        assert found.people[number].tolist() == (order // 2).tolist()
        expected = {"cosine": 1 - distances, "arccos": np.cos(np.pi * distances)}.get(metric, -distances)
        np.testing.assert_allclose(found.scores[number], expected[order], atol=2e-5)


def test_among_equal_templates_the_first_one_enrolled_comes_first() -> None:
    same = np.tile(np.array([[0.6, 0.8]], np.float32), (9, 1))
    for k in (1, 3, 9):
        assert nearest(snapshot(same), same[:2], k, "cosine").rows.tolist() == [list(range(k))] * 2


def test_an_empty_gallery_has_nothing_near() -> None:
    found = nearest(snapshot(np.empty((0, 4), np.float32)), np.ones((3, 4), np.float32), 2, "cosine")
    assert found.rows.shape == found.scores.shape == found.people.shape == (3, 0)
    none = nearest(snapshot(np.ones((2, 4), np.float32)), np.empty((0, 4), np.float32), 2, "cosine")
    assert none.rows.shape == (0, 2)


def test_queries_of_another_size_and_unknown_metrics_are_refused() -> None:
    with pytest.raises(ValueError, match=r"queries have the shape \(1, 5\), and the gallery needs \(Q, 4\)"):
        nearest(snapshot(np.ones((2, 4), np.float32)), np.ones((1, 5), np.float32), 1, "cosine")
    with pytest.raises(ValueError, match="no metric 'manhattan'"):
        nearest(snapshot(np.ones((2, 4), np.float32)), np.ones((1, 4), np.float32), 1, "manhattan")

"""All-pairs verification against a loop over the pairs."""

import itertools

import numpy as np
import pytest

from facenet.evaluation import all_pairs
from facenet.evaluation.all_pairs import verify_all


def sample() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(30), [5, 1, 2] * 10)
    people = random.normal(size=(30, 8))
    return people[labels] + random.normal(0, 0.8, (len(labels), 8)), labels


def test_rates_equal_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_pairs, "BLOCK", 7)
    embeddings, labels = sample()
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    same, different = [], []
    for a, b in itertools.combinations(range(len(labels)), 2):
        (same if labels[a] == labels[b] else different).append(1 - unit[a] @ unit[b])
    found = verify_all(embeddings, labels)
    assert (found.photos, found.people) == (80, 30)
    assert (found.same, found.different) == (len(same), len(different)) == (110, 3050)
    wins = np.mean([np.mean(np.array(different) > d) for d in same])
    assert found.auc == pytest.approx(wins, abs=1e-3)
    for point in found.points:
        below = sorted(different)[int(point.far_target * len(different) + 1e-9)]
        assert point.far <= point.far_target
        assert point.threshold == pytest.approx(below, abs=2 * 2 / all_pairs.BINS)
        assert point.val == pytest.approx(np.mean(np.array(same) < point.threshold), abs=0.01)
    assert not any(point.supported for point in found.points)  # 30 people are too few


def test_pairs_of_people_support_a_rate() -> None:
    """80 people are 3,160 pairs, enough for FAR 0.01; their 160 photos are 12,640 different pairs."""
    labels = np.repeat(np.arange(80), 2)
    found = verify_all(np.random.default_rng(0).normal(size=(160, 8)), labels)
    assert [point.supported for point in found.points] == [True, True, False, False, False, False]


def test_perfect_and_equal_embeddings() -> None:
    labels = np.repeat(np.arange(10), 3)
    perfect = verify_all(np.eye(10)[labels], labels)
    assert (perfect.auc, perfect.eer, perfect.points[-1].val) == (1, 0, 1)
    equal = verify_all(np.ones((30, 4)), labels)
    assert equal.auc == 0.5
    assert equal.points[0].val == 0


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 0, 0]])
def test_unverifiable_labels_raise(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="second person"):
        verify_all(np.eye(3), np.array(labels))

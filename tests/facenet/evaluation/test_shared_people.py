"""People in two sets, under other names and with other photos."""

import itertools

import numpy as np
import pytest

from facenet.evaluation.shared_people import (
    FEWEST,
    LOWEST,
    likeness_threshold,
    person_means,
    suspects,
)


def people(count: int, photos: int, seed: int, common: float) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of people in 64 dimensions; `common` moves all of them closer to one direction."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, 64)) + common
    labels = np.repeat(np.arange(count), photos)
    return centres[labels] + random.normal(0, 0.5, (count * photos, 64)), labels


def test_means_equal_a_loop() -> None:
    embeddings, labels = people(5, 3, 0, 0.0)
    order = np.random.default_rng(1).permutation(15)
    found = person_means(embeddings[order] * np.arange(1, 16)[:, None], labels[order])
    for person, mean in enumerate(found):
        units = [row / np.linalg.norm(row) for row in embeddings[labels == person]]
        np.testing.assert_allclose(mean, np.mean(units, axis=0))


@pytest.mark.parametrize("common", [0.0, 1.0])
def test_shared_people_are_found_whatever_different_people_have_in_common(common: float) -> None:
    """With common = 1 different people have cosines around 0.5, half of them above a fixed threshold."""
    embeddings, labels = people(200, 8, 0, common)
    photo = np.arange(len(labels)) % 8
    evaluated = (labels < 20) & (photo < 4)
    trained = ((labels >= 20) & (photo >= 0)) | ((labels < 3) & (photo >= 4))
    means = person_means(embeddings[evaluated], labels[evaluated])
    names = np.unique(labels[trained])
    others = person_means(embeddings[trained], np.searchsorted(names, labels[trained]))
    found = suspects(means, others)
    assert found is not None
    assert sorted(found.rows.tolist()) == [0, 1, 2]
    assert (names[found.other_rows] == found.rows).all()
    assert (np.diff(found.cosines) <= 0).all()
    assert found.threshold >= LOWEST


def test_threshold_is_the_quantile_of_different_people() -> None:
    embeddings, labels = people(60, 4, 3, 0.4)
    means = person_means(embeddings, labels)
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in itertools.combinations(means, 2)]
    exceeded = [likeness_threshold(means, n) for n in (1, 10, 10_000)]
    assert None not in exceeded
    assert sorted(exceeded) == exceeded  # more comparisons need a higher threshold
    assert np.mean(np.array(cosines) >= exceeded[0]) < 0.005


def test_collapsed_embeddings_suspect_only_equal_people() -> None:
    means = np.ones((6, 4)) + np.random.default_rng(0).normal(0, 1e-2, (6, 4))
    found = suspects(means, means[:1] * 3)
    assert found is None or (found.cosines >= found.threshold).all()
    assert likeness_threshold(means, 100) > 0.99  # type: ignore[operator]


def test_too_few_people_are_not_compared() -> None:
    means = np.eye(8)[: FEWEST - 1]
    assert likeness_threshold(means, 10) is None
    assert suspects(means, means) is None
    assert suspects(np.eye(8), np.zeros((0, 8))) is None

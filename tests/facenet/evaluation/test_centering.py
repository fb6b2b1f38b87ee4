"""The mean of the training folds, with repetition, against a loop."""

import numpy as np

from facenet.evaluation.centering import training_means


def test_means_equal_a_loop() -> None:
    random = np.random.default_rng(0)
    embeddings, fold = random.normal(size=(9, 4)), np.repeat([-1, 0, 2], 7).astype(np.int32)
    left, right = random.integers(0, 9, (2, 21))
    found = training_means(embeddings, left, right, fold, np.array([0, 2], np.int32))
    for row, scored in zip(found, (0, 2), strict=True):
        training = [
            embeddings[photo]
            for a, b, f in zip(left, right, fold, strict=True)
            if f != scored
            for photo in (a, b)
        ]
        assert np.allclose(row, np.mean(training, axis=0), rtol=0, atol=1e-14)


def test_a_photo_counts_once_per_pair() -> None:
    embeddings = np.array([[0.0], [4.0]])
    left, right, fold = np.array([0, 0, 0]), np.array([1, 0, 1]), np.array([0, 1, 1], np.int32)
    assert training_means(embeddings, left, right, fold, np.array([0], np.int32)).tolist() == [[1.0]]

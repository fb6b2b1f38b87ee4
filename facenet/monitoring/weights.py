"""Samples as weights of the rows of a reference, which makes bootstrap statistics matrix products."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]


def resampled_weights(rows: int, size: int, draws: int, rng: np.random.Generator) -> Weights:
    """Return the (rows, draws) weights of bootstrap samples of `size` rows; those of one draw sum to 1."""
    places = rng.integers(0, rows, (size, draws), dtype=np.int32) * np.int32(draws)
    places += np.arange(draws, dtype=np.int32)
    counts = np.bincount(places.ravel(), minlength=draws * rows)
    return (counts.reshape(rows, draws) / size).astype(np.float32)

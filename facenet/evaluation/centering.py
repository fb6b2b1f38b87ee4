"""Mean subtraction: each fold is scored after subtracting the mean of its training folds."""

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats, Rows


def training_means(
    embeddings: Floats, left: Rows, right: Rows, fold: npt.NDArray[np.int32], scored: npt.NDArray[np.int32]
) -> Floats:
    """Return the (K, D) means of the embeddings of all pairs outside each of K scored folds.

    A photo counts once per pair it occurs in, as in davidsandberg/facenet.

    Args:
        embeddings: (M, D), one row per photo.
        left: (P,) row of the left photo of each pair.
        right: (P,) row of the right photo.
        fold: (P,) fold of each pair.
        scored: (K,) the folds to leave out in turn; at least one pair must remain.
    """
    names, groups = np.unique(fold, return_inverse=True)
    counts = np.zeros((len(names), len(embeddings)))  # occurrences of each photo in each fold
    np.add.at(counts, (groups, left), 1)
    np.add.at(counts, (groups, right), 1)
    outside = np.stack([counts[names != name].sum(axis=0) for name in scored])
    means: Floats = outside @ embeddings / outside.sum(axis=1, keepdims=True)
    return means

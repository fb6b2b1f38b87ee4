"""Distances between the two faces of a pair."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

Metric = Literal["euclidean_squared", "arccos", "cosine"]
Flip = Literal["none", "concatenate", "add"]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

CHUNK_ROWS = 128  # of embeddings held at a time
NO_LENGTH = 1e-24  # squared length of a centred embedding that has no direction


def combine_flips(embeddings: npt.ArrayLike, flipped: npt.ArrayLike | None, flip: Flip) -> Floats:
    """Return one float64 embedding per face out of those of the face and of its mirror image, each (N, E).

    none: the face alone, (N, E); `flipped` is not looked at. concatenate: (N, 2E), length sqrt(2), so that
    squared distances are sums of two and reach 8 (davidsandberg/facenet). add: (N, E), the sum L2-normalised
    (insightface).

    Raises:
        ValueError: `flipped` is missing where it is needed.
    """
    faces = np.asarray(embeddings, np.float64)
    if flip == "none":
        return faces
    if flipped is None:
        raise ValueError(f"flip {flip!r} needs the embeddings of the mirrored faces")
    mirrored = np.asarray(flipped, np.float64)
    if flip == "concatenate":
        return np.concatenate([faces, mirrored], axis=1)
    total = faces + mirrored
    normalised: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return normalised


def pair_distances(
    embeddings: Floats, left: Rows, right: Rows, metric: Metric, means: Floats | None = None
) -> Floats:
    """Return the (K, P) float64 distances of P pairs after subtracting each of K means; K is 1 without means.

    euclidean_squared: |a - b|^2, which no mean changes. cosine: 1 - cos, in [0, 2]. arccos: arccos(cos) / pi,
    in [0, 1]. Cosines are clipped to [-1, 1]; an embedding equal to the mean has no direction, its cosines
    are 0.

    Args:
        embeddings: (M, D), one row per photo.
        left: (P,) row of the one photo of each pair.
        right: (P,) row of the other.
        metric: which distance.
        means: (K, D) to subtract from every embedding, or None.
    """
    if metric == "euclidean_squared":
        squares = _gathered(embeddings, left, right, lambda a, b: _row_dots(a - b, a - b))
        return np.broadcast_to(squares, (1 if means is None else len(means), len(squares)))
    cosines = _cosines(embeddings, left, right, means)
    return 1 - cosines if metric == "cosine" else np.arccos(cosines) / np.pi


def _cosines(embeddings: Floats, left: Rows, right: Rows, means: Floats | None) -> Floats:
    """Expand (a - m)(b - m) = ab - am - bm + mm, so that each pair is gathered once and not once per mean."""
    if means is None:
        means = np.zeros((1, embeddings.shape[1]))
    origin = means.mean(axis=0)  # near every mean: the terms above then do not cancel
    means = means - origin
    rows = (embeddings[part] - origin for part in _parts(len(embeddings)))
    products = [(part @ means.T, _row_dots(part, part)) for part in rows]
    projections, squares = (np.concatenate(parts) for parts in zip(*products, strict=True))  # (M, K), (M,)
    mean_squares = _row_dots(means, means)  # (K,)
    squares = squares[:, None] - 2 * projections + mean_squares
    lengths = np.where(squares > NO_LENGTH, np.sqrt(np.maximum(squares, 0)), np.inf)
    dots = _gathered(embeddings, left, right, lambda a, b: _row_dots(a - origin, b - origin))[:, None]
    dots = dots - projections[left] - projections[right] + mean_squares
    cosines: Floats = np.clip(dots / (lengths[left] * lengths[right]), -1, 1)
    return cosines.T


def _row_dots(left: Floats, right: Floats) -> Floats:
    dots: Floats = np.einsum("ij,ij->i", left, right)
    return dots


def _gathered(
    embeddings: Floats, left: Rows, right: Rows, measure: Callable[[Floats, Floats], Floats]
) -> Floats:
    """Return `measure` of the embeddings of each pair, (P,), gathering a few pairs at a time."""
    parts = _parts(len(left))
    return np.concatenate([measure(embeddings[left[part]], embeddings[right[part]]) for part in parts])


def _parts(count: int) -> list[slice]:
    """Return slices that cover `count` rows, at least one: so few rows stay in the processor's cache."""
    return [slice(start, start + CHUNK_ROWS) for start in range(0, max(1, count), CHUNK_ROWS)]

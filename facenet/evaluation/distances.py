"""Distances between the two embeddings of a pair."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

Metric = Literal["euclidean_squared", "arccos", "cosine"]
Flip = Literal["none", "concatenate", "add", "mean"]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

CHUNK_ROWS = 128  # embeddings gathered at once
NO_LENGTH = 1e-24  # squared length up to which a centred embedding has no direction


def combine_flips(embeddings: npt.ArrayLike, flipped: npt.ArrayLike | None, flip: Flip) -> Floats:
    """Return one float64 embedding per face from those of the face and of its mirror image, each (N, E).

    none: the face alone, (N, E); `flipped` is ignored. concatenate: (N, 2E); unit embeddings become sqrt(2)
    long, and squared distances reach 8 (davidsandberg/facenet). mean: (N, E), the mean of the two, which
    leaves the length to the metric. add: (N, E), the sum scaled to unit length (insightface); its cosines are
    those of `mean` if no mean embedding is subtracted.

    Raises:
        ValueError: `flipped` is None and `flip` is not "none".
    """
    faces = np.asarray(embeddings, np.float64)
    if flip == "none":
        return faces
    if flipped is None:
        raise ValueError(f"flip {flip!r} needs the embeddings of the mirrored faces")
    mirrored = np.asarray(flipped, np.float64)
    if flip == "concatenate":
        return np.concatenate([faces, mirrored], axis=1)
    if flip == "mean":
        return (faces + mirrored) / 2
    total = faces + mirrored
    normalised: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return normalised


def pair_distances(
    embeddings: Floats, left: Rows, right: Rows, metric: Metric, means: Floats | None = None
) -> Floats:
    """Return the (K, P) float64 distances of P pairs after subtracting each of K means; K is 1 without means.

    euclidean_squared: |a - b|^2, which is independent of the mean. cosine: 1 - cos, in [0, 2]. arccos:
    arccos(cos) / pi, in [0, 1]. Cosines are clipped to [-1, 1]; an embedding equal to the mean has cosine 0.

    Args:
        embeddings: (M, D), one row per photo.
        left: (P,) row of the left photo of each pair.
        right: (P,) row of the right photo.
        metric: the distance to compute.
        means: (K, D) to subtract from every embedding, or None.
    """
    if metric == "euclidean_squared":
        squares = _gathered(embeddings, left, right, lambda a, b: _row_dots(a - b, a - b))
        return np.broadcast_to(squares, (1 if means is None else len(means), len(squares)))
    cosines = _cosines(embeddings, left, right, means)
    return 1 - cosines if metric == "cosine" else np.arccos(cosines) / np.pi


def cross_distances(
    left: npt.NDArray[np.floating], right: npt.NDArray[np.floating], metric: Metric
) -> Floats:
    """Return the (Q, G) distances between (Q, D) and (G, D) rows by one product, in their precision.

    For cosine and arccos the rows have unit length, or none.
    """
    products = np.asarray(left @ right.T, np.float64)
    if metric == "euclidean_squared":
        squares = [np.einsum("ij,ij->i", rows, rows, dtype=np.float64) for rows in (left, right)]
        return np.asarray(np.maximum(squares[0][:, None] + squares[1] - 2 * products, 0))
    cosines = np.clip(products, -1, 1)
    return 1 - cosines if metric == "cosine" else np.asarray(np.arccos(cosines) / np.pi)


def unit_rows(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return (N, D) rows scaled to length 1; those without a direction become zero."""
    exact = np.asarray(rows, np.float64)
    squares = _row_dots(exact, exact)[:, None]
    return np.asarray(exact / np.where(squares > NO_LENGTH, np.sqrt(squares), np.inf), np.float32)


def _cosines(embeddings: Floats, left: Rows, right: Rows, means: Floats | None) -> Floats:
    """Expand (a - m)(b - m) = ab - am - bm + mm, which gathers each pair once instead of once per mean."""
    if means is None:
        means = np.zeros((1, embeddings.shape[1]))
    origin = means.mean(axis=0)  # close to every mean, which avoids cancellation in the terms above
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
    """Return `measure` of the embeddings of each pair, (P,), in small chunks."""
    parts = _parts(len(left))
    return np.concatenate([measure(embeddings[left[part]], embeddings[right[part]]) for part in parts])


def _parts(count: int) -> list[slice]:
    """Return at least one slice; together they cover `count` rows. Each fits the processor's cache."""
    return [slice(start, start + CHUNK_ROWS) for start in range(0, max(1, count), CHUNK_ROWS)]

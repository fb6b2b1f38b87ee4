"""Exact search: one matrix product of the queries with all templates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.gallery.matrix import Numbers, Snapshot

Floats32 = npt.NDArray[np.float32]
PRODUCTS = 2**22  # held at once: 16 MB, which stays near the processor's cache
QUERIES = 1024  # searched for at once


@dataclass(frozen=True)
class Nearest:
    """The nearest templates of each query, from the nearest on; k is at most the size of the gallery.

    scores: (Q, k) float32, higher is more similar; see `nearest`. rows: (Q, k) indices into the templates of
    `snapshot`. people: (Q, k) indices into its names. Templates of one score are in the order of enrolment.
    """

    scores: Floats32
    rows: Numbers
    people: Numbers
    snapshot: Snapshot


def nearest(snapshot: Snapshot, queries: Floats32, k: int, metric: str) -> Nearest:
    """Return the k templates with the highest scores for each of (Q, D) queries.

    metric: "cosine" or "arccos", whose templates have length 1: the score is their product, the cosine.
        "euclidean_squared": the score is the negative squared distance, -|q - t|^2.

    Raises:
        ValueError: the queries do not fit the gallery, or there is no such metric.
    """
    size = snapshot.templates.shape[1]
    if queries.ndim != 2 or queries.shape[1] != size:
        raise ValueError(f"queries have the shape {queries.shape}, and the gallery needs (Q, {size})")
    if metric not in ("cosine", "arccos", "euclidean_squared"):
        raise ValueError(f"there is no metric {metric!r}")
    k = min(k, len(snapshot))
    rows, scores = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
    for start in range(0, len(queries) if k else 0, QUERIES):
        part = slice(start, start + QUERIES)
        rows[part], scores[part] = _search(snapshot, queries[part], k, metric)
    return Nearest(scores, rows, snapshot.owners[rows], snapshot)


def _search(snapshot: Snapshot, queries: Floats32, k: int, metric: str) -> tuple[Numbers, Floats32]:
    """Return rows and scores, (Q, k), block by block: the templates are read once, whatever Q is."""
    squares = snapshot.squares if metric == "euclidean_squared" else None
    best, scores = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    block = max(k, PRODUCTS // len(queries))
    for start in range(0, len(snapshot), block):
        part = slice(start, start + block)
        of_part = None if squares is None else squares[part]
        products = scores_of(snapshot.templates[part], queries, metric, of_part)
        found = _largest(products, min(k, products.shape[1]))
        best = np.concatenate([best, start + found], axis=1)
        scores = np.concatenate([scores, np.take_along_axis(products, found, axis=1)], axis=1)
        if best.shape[1] > k:
            kept = _largest(scores, k)
            best = np.take_along_axis(best, kept, axis=1)
            scores = np.take_along_axis(scores, kept, axis=1)
    return best, scores


def scores_of(
    templates: Floats32, queries: Floats32, metric: str, squares: Floats32 | None = None
) -> Floats32:
    """Return the (Q, G) scores of queries (Q, D) and templates (G, D); squares: lengths of the templates."""
    if metric == "euclidean_squared":
        # |q - t|^2 = |q|^2 - 2 q t + |t|^2
        products = 2 * (queries @ templates.T)
        products -= np.einsum("ij,ij->i", templates, templates) if squares is None else squares
        products -= np.einsum("ij,ij->i", queries, queries)[:, None]
        return products
    # One query is a matrix-vector product, which reads the templates once at the speed of the memory.
    return (templates @ queries[0])[None] if len(queries) == 1 else queries @ templates.T


def _largest(scores: Floats32, k: int) -> Numbers:
    """Return the (Q, k) columns of the largest values of each row, in this order; of equals the first."""
    if k == 1:
        return np.asarray(scores.argmax(axis=1)[:, None], np.int64)
    return np.stack([_largest_of(row, k) for row in scores])


def _largest_of(row: Floats32, k: int) -> Numbers:
    least = np.partition(row, len(row) - k)[len(row) - k]
    found = np.flatnonzero(row >= least)
    largest: Numbers = found[np.argsort(-row[found], kind="stable")[:k]]
    return largest

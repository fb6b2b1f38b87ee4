"""The nearest identities of vectors, by the centres of identities."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from facenet.audit.faces import Floats, Integers

BLOCK_BYTES = 2**26  # of similarities in memory at once
EXACT = 50_000  # centres up to which every one is compared
LISTS_PER_ROOT = 4  # of the approximate index: lists = 4 sqrt(P)
PROBED = 32  # lists


def nearest_identities(
    queries: Floats, centres: Floats, count: int, *, tick: Callable[[int], None] = lambda _rows: None
) -> tuple[Integers, Floats]:
    """Return the `count` nearest centres (Q, count) of queries (Q, D), and their similarities, descending.

    Above EXACT centres the search is approximate if FAISS is installed (extra `faiss`).

    Args:
        queries: unit vectors.
        centres: (P, D) unit vectors.
        count: at most P are returned.
        tick: called with the number of queries done since the last call.
    """
    count = min(count, len(centres))
    search = _exact(centres, count)
    if len(centres) > EXACT and (faiss := _faiss()) is not None:
        lists = int(LISTS_PER_ROOT * np.sqrt(len(centres)))
        index = faiss.index_factory(centres.shape[1], f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
        index.train(centres)
        index.add(centres)
        index.nprobe = PROBED
        search = _approximate(index, count)
    rows = max(1, BLOCK_BYTES // (4 * len(centres)))
    found, similarities = (
        np.empty((len(queries), count), np.int64),
        np.empty((len(queries), count), np.float32),
    )
    for start in range(0, len(queries), rows):
        block = slice(start, start + rows)
        found[block], similarities[block] = search(queries[block])
        tick(len(queries[block]))
    return found, similarities


def _exact(centres: Floats, count: int) -> Callable[[Floats], tuple[Integers, Floats]]:
    def search(block: Floats) -> tuple[Integers, Floats]:
        similar = block @ centres.T
        found = np.argpartition(similar, -count, axis=1)[:, -count:]
        values = np.take_along_axis(similar, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1)

    return search


def _approximate(index: Any, count: int) -> Callable[[Floats], tuple[Integers, Floats]]:
    def search(block: Floats) -> tuple[Integers, Floats]:
        values, found = index.search(block, count)
        return found, values

    return search


def _faiss() -> Any:
    """Return the module, or None if it is not installed."""
    try:
        return import_module("faiss")
    except ImportError:
        return None

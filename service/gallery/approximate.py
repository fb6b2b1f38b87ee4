"""An approximate index of a large gallery (FAISS): a cache in memory, built from the matrix, never the truth.

Templates of faces vary along far fewer axes than they have (those of the CASIA-WebFace weights on LFW: 100 of
512 hold all variance, and all products). The index holds each template's 128 principal components with 8 bits
each, scans all of them, and the scores of the best candidates are then computed exactly from the matrix. An
inverted file (IVF) was tried instead: at a recall of 0.79 it was slower, docs/decisions/0022-gallery.md.
"""

import logging
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from service.gallery.matrix import Numbers, Snapshot
from service.gallery.nearest import Floats32, Nearest, nearest, scores_of

COMPONENTS = 128
SAMPLE_FOR_AXES = 40_000  # templates, evenly spaced, that the axes are computed from
CANDIDATES = 64  # per query, or 4 k if that is more
SAMPLE = 200  # templates whose nearest neighbour is compared with the exact one
GROWTH = 1.5  # the axes are computed again when the gallery has grown by this factor
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Built:
    """How an index was built: from how many templates, in how many seconds, its size, and its recall.

    recall: fraction of templates whose nearest other template the index finds, of a sample.
    """

    templates: int
    seconds: float
    megabytes: float
    recall: float


class Approximate:
    """An index that is built in the background, and follows the snapshots it is asked about.

    metric: that of the model; see `nearest`.
    """

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._lock = threading.Lock()  # FAISS may not search while templates are added
        self._building: threading.Thread | None = None
        self._index: Any = None
        self._ids: Numbers = np.empty(0, np.int64)  # of the photos in the index, ascending
        self.built: Built | None = None

    def search(self, snapshot: Snapshot, queries: Floats32, k: int) -> Nearest | None:
        """Return up to k near templates of each query, or None while the index is built.

        A row may have fewer than k: the others are -1, with a score of -inf.
        """
        if not self._ready(snapshot):
            return None
        with self._lock:
            self._follow(snapshot)
            candidates = min(max(CANDIDATES, 4 * k), len(snapshot))
            _, found = self._index.search(np.ascontiguousarray(queries), candidates)
        return _ranked(snapshot, queries, found, k, self._metric)

    def wait(self) -> None:
        """Wait until the index that is being built is ready."""
        if self._building is not None:
            self._building.join()

    def _ready(self, snapshot: Snapshot) -> bool:
        """Return whether there is an index; start to build one if there is none, or it is outgrown."""
        with self._lock:
            outgrown = self.built is None or len(snapshot) > GROWTH * self.built.templates
            if outgrown and (self._building is None or not self._building.is_alive()):
                self._building = threading.Thread(target=self._build, args=(snapshot,), daemon=True)
                self._building.start()
            return self.built is not None

    def _build(self, snapshot: Snapshot) -> None:
        start = time.monotonic()
        index = new_index(snapshot.templates)
        index.add_with_ids(snapshot.templates, snapshot.photo_ids)
        seconds = time.monotonic() - start
        megabytes = len(snapshot) * (min(COMPONENTS, snapshot.templates.shape[1]) + 8) / 2**20
        recall = _recall(index, snapshot, self._metric)
        with self._lock:
            self._index, self._ids = index, snapshot.photo_ids
            self.built = Built(len(snapshot), round(seconds, 2), round(megabytes, 1), recall)
        _log.info("Built an approximate index: %s", self.built)

    def _follow(self, snapshot: Snapshot) -> None:
        """Add and remove what has changed since the last search."""
        if self._ids is snapshot.photo_ids:
            return
        gone = np.setdiff1d(self._ids, snapshot.photo_ids, assume_unique=True)
        if len(gone):
            self._index.remove_ids(gone)
        new = ~np.isin(snapshot.photo_ids, self._ids, assume_unique=True)
        if new.any():
            self._index.add_with_ids(snapshot.templates[new], snapshot.photo_ids[new])
        self._ids = snapshot.photo_ids


def is_installed() -> bool:
    """Return whether FAISS is installed."""
    return find_spec("faiss") is not None


def new_index(templates: Floats32) -> Any:
    """Return an empty index whose axes come from a sample of (G, D) templates.

    It compares by Euclidean distance, which orders templates of length 1 like the cosine, and which does not
    depend on the mean that principal components subtract.
    """
    import faiss  # an optional dependency

    size = templates.shape[1]
    reduced = f"PCA{COMPONENTS},SQ8" if size > COMPONENTS and len(templates) > COMPONENTS else "SQ8"
    index = faiss.IndexIDMap(faiss.index_factory(size, reduced, faiss.METRIC_L2))
    step = max(1, len(templates) // SAMPLE_FOR_AXES)
    index.train(np.ascontiguousarray(templates[::step]))
    return index


def _ranked(
    snapshot: Snapshot, queries: Floats32, candidates: npt.NDArray[np.int64], k: int, metric: str
) -> Nearest:
    """Return the k best of the candidates (photo ids, -1 for none) by their exact scores."""
    k = min(k, len(snapshot))
    rows, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf, np.float32)
    places = np.searchsorted(snapshot.photo_ids, candidates)
    places[places == len(snapshot)] = 0
    for number, query in enumerate(queries):
        known = np.sort(places[number][snapshot.photo_ids[places[number]] == candidates[number]])
        exact = scores_of(snapshot.templates[known], query[None], metric)[0]
        order = np.argsort(-exact, kind="stable")[:k]
        rows[number, : len(order)], scores[number, : len(order)] = known[order], exact[order]
    return Nearest(scores, rows, np.where(rows < 0, -1, snapshot.owners[rows]), snapshot)


def _recall(index: Any, snapshot: Snapshot, metric: str) -> float:
    """Return how often the nearest other template of a template is found."""
    step = max(1, len(snapshot) // SAMPLE)
    asked = snapshot.templates[::step]
    exact = nearest(snapshot, asked, 2, metric)
    _, candidates = index.search(np.ascontiguousarray(asked), min(CANDIDATES, len(snapshot)))
    near = _ranked(snapshot, asked, candidates, 2, metric)
    same = np.sort(near.rows, axis=1) == np.sort(exact.rows, axis=1)  # itself, and the other
    return round(float(same.all(axis=1).mean()), 4)

"""Galleries, strangers and clusters out of the embedded photos: who is found, who is turned away."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facenet.evaluation.all_pairs import verify_all
from facenet.evaluation.distances import Floats, Metric
from facenet.identification.classifiers import linear_svm, nearest_neighbour
from facenet.identification.clustering import bcubed, cluster, pairwise
from facenet.identification.gallery import Gallery
from facenet.identification.rates import open_set, rank_rate, rejection_threshold
from tasks.evaluate.result import Evaluated
from tasks.evaluate.tables import Cell, write_table
from tasks.params.evaluate import EvaluateParams

COLUMNS = (
    *("gallery_photos", "method", "people", "probes", "rank1", "rank5", "strangers_seen", "strangers"),
    *("fpir_target", "fpir", "fpir_low", "fpir_high", "tpir", "tpir_low", "tpir_high", "threshold"),
)
ALL_PAIRS_COLUMNS = ("far_target", "threshold", "far", "val", "different", "same", "supported")
METHODS = {"nearest_neighbour": nearest_neighbour, "linear_svm": linear_svm}
PEOPLE = 100  # in a gallery, at most: the time of an SVM grows with their square
CLUSTERED = 2000  # photos, at most: memory grows with their square


class Cast(NamedTuple):
    """Rows of photos: of known people by name, of strangers who set the threshold, of those judged by it."""

    known: dict[str, list[int]]
    seen: list[int]
    unseen: list[int]


def report_identification(
    evaluated: Evaluated, identities: Mapping[str, str], params: EvaluateParams, *, reports: Path
) -> dict[str, Any]:
    """Write identification.csv and all_pairs.csv and return the metrics; `identities`: by image_id.

    Who is known and who is a stranger is drawn with the seed; no photo of a stranger is in the gallery.
    """
    vectors, names = evaluated.centred, [identities[image_id] for image_id in evaluated.image_ids]
    rows: list[tuple[Cell, ...]] = []
    for photos in params.gallery_photos:
        cast = draw(names, photos, evaluated.seed)
        if cast is not None:
            rows += [_identify(vectors, cast, photos, method, params.fpir) for method in METHODS]
    write_table(reports / "identification.csv", COLUMNS, rows)
    found = dict(zip(COLUMNS, rows[0], strict=True)) if rows else {}
    metrics = {name: found[name] for name in ("rank1", "rank5", "fpir", "tpir") if found}
    return (
        metrics | _clusters(evaluated, vectors, names, params.distance) | _all_pairs(vectors, names, reports)
    )


def draw(names: Sequence[str], photos: int, seed: int) -> Cast | None:
    """Return who plays which part for galleries of `photos` each; None if there are too few people.

    Half of those with more photos than that are known; all others are strangers, of whom half are seen.
    """
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    order = [str(name) for name in np.random.default_rng(seed).permutation(sorted(rows))]
    able = [name for name in order if len(rows[name]) > photos]
    known = able[: min(PEOPLE, len(able) // 2)]
    strangers = [name for name in order if name not in set(known)]
    middle = len(strangers) // 2
    if len(known) < 2 or not middle:
        return None
    seen, unseen = (
        [row for name in part for row in rows[name]] for part in (strangers[:middle], strangers[middle:])
    )
    return Cast({name: rows[name] for name in known}, seen, unseen)


def _identify(vectors: Floats, cast: Cast, photos: int, method: str, fpir: float) -> tuple[Cell, ...]:
    gallery = Gallery()
    for name, rows in cast.known.items():
        gallery.add(name, vectors[rows[:photos]])
    make: Callable[..., Any] = METHODS[method]
    score = make(gallery)
    probes = [(row, label) for label, rows in enumerate(cast.known.values()) for row in rows[photos:]]
    labels = np.array([label for _, label in probes])
    scores = score(vectors[[row for row, _ in probes]])
    threshold = rejection_threshold(score(vectors[cast.seen]), fpir)
    result = open_set(scores, labels, score(vectors[cast.unseen]), threshold)
    return (
        *(
            photos,
            method,
            len(gallery),
            len(probes),
            rank_rate(scores, labels, 1),
            rank_rate(scores, labels, 5),
        ),
        *(len(cast.seen), len(cast.unseen), fpir, result.fpir, *result.fpir_interval),
        *(result.tpir, *result.tpir_interval, threshold),
    )


def _clusters(evaluated: Evaluated, vectors: Floats, names: Sequence[str], metric: Metric) -> dict[str, Any]:
    """Cluster at the threshold of verification, as if names were unknown."""
    threshold = float(np.mean([score.threshold for score in evaluated.result.folds]))
    step = -(-len(names) // CLUSTERED)
    truth = np.unique(names[::step], return_inverse=True)[1].astype(np.int64)
    length = float(np.mean((vectors**2).sum(axis=1)))
    found = cluster(vectors[::step], cosine_distance(threshold, metric, length))
    return {
        "clustered_photos": len(truth),
        "clusters": int(found.max()) + 1,
        "clustered_people": int(truth.max()) + 1,
        "bcubed_f": bcubed(truth, found).f,
        "pair_f": pairwise(truth, found).f,
    }


def cosine_distance(threshold: float, metric: Metric, squared_length: float) -> float:
    """Return the cosine distance of a threshold of `metric` between embeddings of that squared length."""
    if metric == "euclidean_squared":
        return threshold / (2 * squared_length)
    return threshold if metric == "cosine" else 1 - math.cos(math.pi * threshold)


def _all_pairs(vectors: Floats, names: Sequence[str], reports: Path) -> dict[str, Any]:
    labels: npt.NDArray[np.int64] = np.unique(list(names), return_inverse=True)[1].astype(np.int64)
    counts = np.bincount(labels)
    if len(counts) < 2 or counts.max() < 2:
        write_table(reports / "all_pairs.csv", ALL_PAIRS_COLUMNS, [])
        return {}
    result = verify_all(vectors, labels)
    write_table(
        reports / "all_pairs.csv",
        ALL_PAIRS_COLUMNS,
        [
            (p.far_target, p.threshold, p.far, p.val, result.different, result.same, p.supported)
            for p in result.points
        ],
    )
    return {
        "all_pairs_photos": result.photos,
        "all_pairs_same": result.same,
        "all_pairs_different": result.different,
        "all_pairs_auc": result.auc,
        "all_pairs_eer": result.eer,
    }

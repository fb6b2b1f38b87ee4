"""Open-set identification, all-pairs verification and clustering of the embedded photos."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facenet.evaluation.all_pairs import verify_all
from facenet.evaluation.distances import Floats, Metric, unit_rows
from facenet.identification.clustering import bcubed, cluster, pairwise
from facenet.identification.rates import open_set, rank_rate, rejection_threshold
from facenet.identification.scorers import SCORERS, Method
from facenet.identity import one_spelling
from tasks.evaluate.result import Evaluation
from tasks.evaluate.tables import Cell, write_table
from tasks.params.evaluate import EvaluateParams

COLUMNS = (
    *("gallery_photos", "method", "people", "probes", "rank1", "rank5", "strangers_seen", "strangers"),
    *("fpir_target", "fpir", "fpir_low", "fpir_high", "tpir", "tpir_low", "tpir_high", "threshold"),
)
ALL_PAIRS_COLUMNS = ("far_target", "threshold", "far", "val", "different", "same", "supported")
PEOPLE = 100  # maximum in a gallery: the time of an SVM is quadratic in it
CLUSTERED = 2000  # maximum number of photos: memory is quadratic in it


class Split(NamedTuple):
    """Rows of photos: of enrolled people by name, of unknown people to set the threshold, and to test it.

    test_people: the number of people in `test`.
    """

    enrolled: dict[str, list[int]]
    calibration: list[int]
    test: list[int]
    test_people: int


def report_identification(
    evaluation: Evaluation, identities: Mapping[str, str], params: EvaluateParams, *, reports: Path
) -> dict[str, Any]:
    """Write identification.csv and all_pairs.csv and return the metrics; `identities`: by image_id.

    The seed decides who is enrolled and who is unknown; unknown people have no photo in the gallery.
    """
    vectors = evaluation.centred
    templates = vectors.astype(np.float32) if params.distance == "euclidean_squared" else unit_rows(vectors)
    names = one_spelling(identities[image_id] for image_id in evaluation.image_ids)
    rows: list[tuple[Cell, ...]] = []
    for photos in params.gallery_photos:
        split = split_people(names, photos, evaluation.seed)
        if split is not None:
            methods: list[Method] = [m for m in SCORERS if m != "mean" or photos > 1]
            rows += [_identify(templates, split, photos, method, params) for method in methods]
    write_table(reports / "identification.csv", COLUMNS, rows)
    first = dict(zip(COLUMNS, rows[0], strict=True)) if rows else {}
    metrics = {name: first[name] for name in ("rank1", "rank5", "fpir", "tpir") if first}
    return (
        metrics | _clusters(evaluation, vectors, names, params.distance) | _all_pairs(vectors, names, reports)
    )


def split_people(names: Sequence[str], photos: int, seed: int) -> Split | None:
    """Return the split for galleries with `photos` per person; None if there are too few people.

    Half of the people with more than `photos` photos are enrolled; all others are unknown, one half of them
    for calibration, the other for the test. names: the person of each photo.
    """
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    order = [str(name) for name in np.random.default_rng(seed).permutation(sorted(rows))]
    able = [name for name in order if len(rows[name]) > photos]
    enrolled = {name: rows[name] for name in able[: min(PEOPLE, len(able) // 2)]}
    unknown = [name for name in order if name not in enrolled]
    half = len(unknown) // 2
    if len(enrolled) < 2 or not half:
        return None
    calibration, test = (
        [row for name in part for row in rows[name]] for part in (unknown[:half], unknown[half:])
    )
    return Split(enrolled, calibration, test, len(unknown) - half)


def _identify(
    templates: npt.NDArray[np.float32], split: Split, photos: int, method: Method, params: EvaluateParams
) -> tuple[Cell, ...]:
    enrolled = [row for rows in split.enrolled.values() for row in rows[:photos]]
    owners = np.repeat(np.arange(len(split.enrolled)), photos)
    score = SCORERS[method](templates[enrolled], owners, params.distance)
    probes = [(row, label) for label, rows in enumerate(split.enrolled.values()) for row in rows[photos:]]
    labels = np.array([label for _, label in probes])
    scores = score(templates[[row for row, _ in probes]])
    threshold = rejection_threshold(score(templates[split.calibration]), params.fpir)
    unknown = score(templates[split.test])
    result = open_set(scores, labels, unknown, threshold, unknown_people=split.test_people)
    return (
        *(
            photos,
            method,
            len(split.enrolled),
            len(probes),
            rank_rate(scores, labels, 1),
            rank_rate(scores, labels, 5),
        ),
        *(len(split.calibration), len(split.test), params.fpir, result.fpir, *result.fpir_interval),
        *(result.tpir, *result.tpir_interval, threshold),
    )


def _clusters(
    evaluation: Evaluation, vectors: Floats, names: Sequence[str], metric: Metric
) -> dict[str, Any]:
    """Return metrics of clusters at the verification threshold."""
    threshold = float(np.mean([score.threshold for score in evaluation.result.folds]))
    step = -(-len(names) // CLUSTERED)
    truth = np.unique(names[::step], return_inverse=True)[1].astype(np.int64)
    length = float(np.mean((vectors**2).sum(axis=1)))
    clusters = cluster(vectors[::step], cosine_distance(threshold, metric, length))
    return {
        "clustered_photos": len(truth),
        "clusters": int(clusters.max()) + 1,
        "clustered_people": int(truth.max()) + 1,
        "bcubed_f": bcubed(truth, clusters).f,
        "pair_f": pairwise(truth, clusters).f,
    }


def cosine_distance(threshold: float, metric: Metric, squared_length: float) -> float:
    """Return the cosine distance equal to a threshold of `metric` for embeddings of that squared length."""
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

"""Leaks between training and evaluation: the search, its table, its plot and its metrics."""

import logging
from dataclasses import replace
from typing import Any

from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.leak_search import Sides, leaks_by_digest, leaks_by_name, leaks_by_similarity
from tasks.evaluate.leaks_picture import draw_leaks
from tasks.evaluate.photo_embedder import PhotoEmbedder
from tasks.evaluate.result import Evaluation
from tasks.evaluate.tables import write_table
from tasks.params.evaluate import EvaluateParams

COLUMNS = ("found_by", "evaluated", "trained", "evaluated_photo", "trained_photo", "cosine", "pixels")

logger = logging.getLogger(__name__)


def report_leaks(
    sides: Sides,
    evaluation: Evaluation,
    embedder: PhotoEmbedder,
    params: EvaluateParams,
    files: EvaluatePaths,
) -> dict[str, Any]:
    """Write leaks.csv and leaks.png and return the metrics.

    Args:
        sides: the photos to compare.
        evaluation: has embeddings of all evaluated photos.
        embedder: embeds the training photos.
        params: leak_similarity and leak_photos.
        files: the face table and the reports.
    """
    equal = leaks_by_digest(sides, files.aligned)
    found = {leak.evaluated_photo for leak in equal}
    rest = sorted(set(sides.trained) - set(sides.evaluated))
    sample = rest[:: -(-len(rest) // params.leak_photos)] if rest and params.leak_photos else []
    remaining = replace(sides, evaluated=[photo for photo in sides.evaluated if photo not in found])
    similar = _similar(replace(remaining, trained=sample), evaluation, embedder, params, files)
    leaks = [*leaks_by_name(sides), *equal, *similar]
    write_table(files.reports / "leaks.csv", COLUMNS, leaks)
    draw_leaks(files.reports / "leaks.png", leaks, files.aligned)
    if equal or similar:
        logger.warning(
            "%d EVALUATED PHOTOS WERE TRAINED ON: see reports/leaks.csv", len(equal) + len(similar)
        )
    return {
        "leaked_names": len(sides.shared),
        "leaked_photos_equal": len(equal),
        "leaked_photos_alike": len(similar),
        "leak_photos_compared": len(sample),
        "leak_photos_trained": len(rest),
    }


def _similar(
    sides: Sides,
    evaluation: Evaluation,
    embedder: PhotoEmbedder,
    params: EvaluateParams,
    files: EvaluatePaths,
) -> list[Any]:
    if not sides.evaluated or not sides.trained:
        return []
    embedded, _ = embedder.embed(sides.trained, mirrored=False)
    return leaks_by_similarity(
        replace(sides, trained=embedded.image_ids),
        evaluation.faces_of(sides.evaluated),
        embedded.faces,
        aligned=files.aligned,
        similarity=params.leak_similarity,
    )

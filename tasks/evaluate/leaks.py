"""Leaks between training and evaluation: the search, its table, its plot and its metrics."""

import logging
from dataclasses import replace
from typing import Any

from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.leak_search import (
    Leak,
    Sides,
    leaks_by_digest,
    leaks_by_name,
    leaks_by_person,
    leaks_by_similarity,
)
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
    rest = sorted(set(sides.trained) - set(sides.evaluated))
    sample = rest[:: -(-len(rest) // params.leak_photos)] if rest and params.leak_photos else []
    similar, people, threshold = _by_embedding(
        replace(sides, trained=sample), equal, evaluation, embedder, params, files
    )
    leaks = [*leaks_by_name(sides), *people, *equal, *similar]
    write_table(files.reports / "leaks.csv", COLUMNS, leaks)
    draw_leaks(files.reports / "leaks.png", leaks, files.aligned)
    _warn(sides, len(equal) + len(similar), people)
    return {
        "leaked_names": len(sides.shared),
        "leaked_people_alike": len(people),
        "leaked_photos_equal": len(equal),
        "leaked_photos_alike": len(similar),
        "leak_photos_compared": len(sample),
        "leak_photos_trained": len(rest),
        "leak_people_compared": 0 if threshold is None else len({sides.identities[p] for p in sample}),
        "leak_people_cosine": threshold,
        **_not_compared(sides, len(sample)),
    }


def _by_embedding(
    sides: Sides,
    equal: list[Leak],
    evaluation: Evaluation,
    embedder: PhotoEmbedder,
    params: EvaluateParams,
    files: EvaluatePaths,
) -> tuple[list[Leak], list[Leak], float | None]:
    """Return leaks by similarity, without photos already found to be equal, and by person."""
    if not sides.evaluated or not sides.trained:
        return [], [], None
    embedded, _ = embedder.embed(sides.trained, mirrored=False)
    sides = replace(sides, trained=embedded.image_ids)
    people, threshold = leaks_by_person(sides, evaluation.faces_of(sides.evaluated), embedded.faces)
    found = {leak.evaluated_photo for leak in equal}
    remaining = [photo for photo in sides.evaluated if photo not in found]
    similar = leaks_by_similarity(
        replace(sides, evaluated=remaining),
        evaluation.faces_of(remaining),
        embedded.faces,
        aligned=files.aligned,
        similarity=params.leak_similarity,
    )
    return similar, people, threshold


def _warn(sides: Sides, photos: int, people: list[Leak]) -> None:
    fate = "WERE TRAINED ON" if sides.trained_here else "ARE AMONG THE TRAINING PHOTOS"
    if photos:
        logger.warning("%d EVALUATED PHOTOS %s: see reports/leaks.csv", photos, fate)
    if people:
        logger.warning(
            "%d EVALUATED PEOPLE MAY BE IN TRAINING UNDER ANOTHER NAME: see reports/leaks.csv", len(people)
        )


def _not_compared(sides: Sides, photos: int) -> dict[str, str]:
    """Return a warning, also logged, of what was not searched for leaks."""
    if sides.trained_here and photos:
        return {}
    warning = "NO PHOTOS WERE COMPARED FOR LEAKS" if not photos else f"ONLY {photos} PHOTOS WERE COMPARED"
    if not sides.trained_here:
        warning += ": the weights were not trained here, and the photos that they were trained on are unknown"
    else:
        warning += ": evaluate.leak_photos is 0" if sides.trained else ": there are no training photos"
    logger.warning(warning)
    return {"leak_warning": warning}

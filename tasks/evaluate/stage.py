"""The work of the stage: pairs in, metrics out."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from facenet.digests import file_digest
from facenet.evaluation.distances import combine_flips
from facenet.evaluation.protocol import Protocol, judge, measure
from facenet.evaluation.threshold_grid import ACCURACY_GRID
from facenet.identity import fold_name
from tasks import paths
from tasks.evaluate.decisions import report_decisions
from tasks.evaluate.embeddings import Embeddings, stored_faces, write_embeddings
from tasks.evaluate.identification import report_identification
from tasks.evaluate.leaks import report_leaks
from tasks.evaluate.operating import report_operating_points
from tasks.evaluate.pairs import (
    NAMES,
    Pairs,
    protocol_name,
    read_pairs,
    shared_identities,
    trained_people,
    without_trained,
)
from tasks.evaluate.photo_embedder import PhotoEmbedder, trained_here
from tasks.evaluate.photos import photo_qualities
from tasks.evaluate.result import Evaluated
from tasks.evaluate.roc_picture import draw_roc
from tasks.evaluate.slices import report_slices
from tasks.evaluate.tables import write_folds, write_roc, write_table
from tasks.evaluate.work import find_locations
from tasks.evaluate.worst import draw_worst
from tasks.params.evaluate import EvaluateParams
from tasks.params.sources import Source
from tasks.shards import read_table
from tasks.workers.processes import begin

SHOWN = 5  # names in a warning
OPTIONS = {"distance", "flip", "subtract_mean", "sweep"}  # of the protocol, told with its metrics

logger = logging.getLogger(__name__)


def run(
    params: EvaluateParams,
    *,
    device: str,
    seed: int,
    sources: Sequence[Source],
    aligned: Path = paths.ALIGNED,
    pairs: Path = paths.PAIRS,
    identities: Path = paths.IDENTITIES,
    weights: Path = paths.WEIGHTS,
    card: Path = paths.MODEL_CARD,
    matcher: Path = paths.CALIBRATION,
    embeddings: Path = paths.EMBEDDINGS,
    reports: Path = paths.REPORTS,
    cache: Path = paths.DATA / "cache",
    beside: bool = False,
) -> dict[str, Any]:
    """Embed the photos of all pairs, verify them, write embeddings, tables and pictures, return the metrics.

    `beside`: identify people in another process, forked off the one of `tasks.workers.processes.preload`.

    Raises:
        PairsFileInvalid: the pairs cannot be scored, or a face is missing that must not be.
        DataInvalid: faces or identities are missing.
        WeightsInvalid: the model is missing or gives embeddings that are not finite.
        ParamsInvalid: the faces are smaller than the network's input.
    """
    stored, (people, roles) = stored_faces(aligned), _photos(aligned)
    embedder = PhotoEmbedder(
        params, weights=weights, card=card, device=device, aligned=aligned, kept=cache / "embeddings"
    )
    trained, seen = trained_people(identities) if trained_here(embedder.card) else (set(), set())
    chosen = without_trained(_listed(pairs, stored, params), trained)
    shared = shared_identities(chosen, seen)
    wanted = chosen.photos | ({p for p in roles if roles[p] == "evaluate"} if params.all_pairs else set())
    embedded, made = embedder.embed(wanted, mirrored=params.flip != "none")
    write_embeddings(embeddings, embedded, embedder.origin)
    evaluated = evaluate(embedded, chosen, params, seed)
    name = protocol_name(sources, chosen.counts()["folds"])
    digest = embedder.card.weights_sha256
    identify = partial(report_identification, evaluated, people, params, reports=reports)
    with begin(identify, in_worker=beside) as identification:  # what takes longest
        _show(evaluated, stored, name, aligned, reports)
        learnt = [photo for photo in roles if roles[photo] == "train" and fold_name(people[photo]) in seen]
        return {
            "protocol": name,
            "pairs_sha256": file_digest(pairs),
            **_headline(evaluated, params),
            "fallbacks": sum(stored[photo] for photo in chosen.photos),
            **_embedding(embedded, made, embedder),
            **_overlap(shared),
            **report_operating_points(
                evaluated, params, digest, protocol=name, reports=reports, matcher=matcher
            ),
            **report_decisions(evaluated, reports=reports, kept=cache / "decisions"),
            **report_slices(evaluated, _qualities(embedded, aligned, cache), reports=reports),
            **report_leaks(evaluated, people, learnt, shared, params, embedder, aligned, reports),
            **identification(),
        }


def evaluate(embedded: Embeddings, pairs: Pairs, params: EvaluateParams, seed: int) -> Evaluated:
    """Return the verification of pairs by their embeddings, and what it was made of."""
    protocol = Protocol(
        metric=params.distance,
        subtract_mean=params.subtract_mean,
        sweep=params.sweep,
        far=params.far,
        rule=pairs.threshold_rule,
    )
    vectors = combine_flips(embedded.faces, embedded.flipped, params.flip)
    measured = measure(vectors, pairs.rows(embedded.image_ids), protocol)
    return Evaluated(
        pairs=pairs,
        measured=measured,
        result=judge(measured, protocol),
        image_ids=embedded.image_ids,
        faces=embedded.faces,
        vectors=vectors,
        draws=params.bootstrap_draws,
        seed=seed,
    )


def _embedding(embedded: Embeddings, made: int, embedder: PhotoEmbedder) -> dict[str, Any]:
    return {
        "images": len(embedded.image_ids),
        "images_embedded": made,
        "images_per_second": round(made / embedded.seconds, 1) if made else None,
        "device": embedder.device,
        "precision": embedder.precision,
    }


def _headline(evaluated: Evaluated, params: EvaluateParams) -> dict[str, Any]:
    return {
        **evaluated.pairs.counts(),
        **evaluated.result.metrics(),
        "far_target": params.far,
        "accuracy_interval": list(evaluated.result.accuracy_interval()),
        "folds_scored": len(evaluated.result.folds),
        **params.model_dump(include=OPTIONS),
        "threshold_rule": evaluated.pairs.threshold_rule,
        **_beyond_grid(evaluated, params),
    }


def _beyond_grid(evaluated: Evaluated, params: EvaluateParams) -> dict[str, Any]:
    """Return the share of scored distances that davidsandberg's thresholds do not reach, with a warning."""
    if params.sweep != "grid":
        return {}
    share = float(np.mean(evaluated.result.distances[evaluated.scored] >= ACCURACY_GRID[-1]))
    if share:
        logger.warning(
            "%.0f %% of the distances lie beyond 4, where davidsandberg's grid ends: AUC is the area under a "
            "part of the curve. Set evaluate.sweep to exact, distance to cosine or arccos, or flip to none.",
            100 * share,
        )
    return {"beyond_grid": share}


def _show(evaluated: Evaluated, stored: Mapping[str, bool], name: str, aligned: Path, reports: Path) -> None:
    result, pairs = evaluated.result, evaluated.pairs
    write_roc(reports / "roc.csv", result.curve)
    write_folds(reports / "folds.csv", result.folds)
    left_out = pairs.left_out(stored)
    rows = left_out.itertuples(index=False, name=None)
    write_table(reports / "missing_pairs.csv", (*NAMES, "same", "fold", "reason"), rows)
    draw_roc(reports / "roc.png", result.curve, title=name, negatives=pairs.negatives)
    draw_worst(reports / "worst_errors.png", result, pairs, aligned)


def _listed(pairs: Path, stored: Mapping[str, bool], params: EvaluateParams) -> Pairs:
    fallbacks = [photo for photo, fallback in stored.items() if fallback]
    return read_pairs(pairs, stored, fallbacks=fallbacks, missing=params.missing)


def _photos(aligned: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the person and the role of every stored photo."""
    columns = read_table(aligned, "faces", ["image_id", "identity", "role"])
    image_ids, people, roles = (column.to_pylist() for column in columns.columns)
    return dict(zip(image_ids, people, strict=True)), dict(zip(image_ids, roles, strict=True))


def _qualities(embedded: Embeddings, aligned: Path, cache: Path) -> Any:
    places = find_locations(aligned, set(embedded.image_ids))  # in the same order, that of the table
    return photo_qualities(aligned, places, embedded.digests, cache)


def _overlap(shared: list[str]) -> dict[str, Any]:
    """Return how many evaluated people trained, with a warning if there are any."""
    if not shared:
        return {"identity_overlap": 0}
    warning = (
        f"{len(shared)} OF THE EVALUATED PEOPLE WERE TRAINED ON: THESE METRICS ARE TOO GOOD. "
        f"FIRST OF THEM: {', '.join(shared[:SHOWN])}"
    )
    logger.warning(warning)
    return {"identity_overlap": len(shared), "identity_overlap_warning": warning}

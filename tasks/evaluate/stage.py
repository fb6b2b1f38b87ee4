"""The work of the stage: embed the photos of all pairs, verify them, write metrics, tables and plots."""

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facenet.digests import file_digest
from facenet.evaluation.distances import Floats, combine_flips
from facenet.evaluation.protocol import Protocol, judge, measure
from facenet.evaluation.threshold_grid import ACCURACY_GRID
from facenet.identity import fold_name
from tasks.evaluate.attributes import read_attributes
from tasks.evaluate.decisions import report_decisions
from tasks.evaluate.embeddings import Embeddings, stored_faces, write_embeddings
from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.galleries import report_galleries
from tasks.evaluate.identification import report_identification
from tasks.evaluate.leak_search import Sides
from tasks.evaluate.leaks import report_leaks
from tasks.evaluate.mean import Mean, choose_mean
from tasks.evaluate.monitoring import write_reference
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
from tasks.evaluate.pairs_picture import draw_correct, draw_worst
from tasks.evaluate.photo_embedder import PhotoEmbedder, trained_here
from tasks.evaluate.photos import photo_qualities
from tasks.evaluate.result import Evaluation
from tasks.evaluate.roc_picture import draw_roc
from tasks.evaluate.slices import report_slices
from tasks.evaluate.tables import write_folds, write_roc, write_table
from tasks.evaluate.work import find_locations
from tasks.params.evaluate import EvaluateParams
from tasks.params.sources import Source
from tasks.shards import read_table
from tasks.workers.processes import begin

SHOWN = 5  # names per warning
OPTIONS = {"distance", "flip", "subtract_mean", "sweep"}  # of the protocol, reported with its metrics

logger = logging.getLogger(__name__)


def run(
    params: EvaluateParams,
    files: EvaluatePaths,
    *,
    device: str,
    seed: int,
    sources: Sequence[Source],
    forked: bool = False,
) -> dict[str, Any]:
    """Evaluate the model, write embeddings, calibration, reference, tables and plots, and return the metrics.

    Args:
        params: the protocol and its options.
        files: where to read and write.
        device: a torch device or "auto".
        seed: of the bootstrap and of the split into enrolled and unknown people.
        sources: of the photos, which name the protocol.
        forked: run the identification in a process forked off that of `tasks.workers.processes.preload`.

    Raises:
        PairsFileInvalid: the pairs cannot be scored, or a required face is missing.
        DataInvalid: faces, identities or attributes are missing.
        WeightsInvalid: the model is missing or returns embeddings that are not finite.
        ParamsInvalid: the faces are smaller than the network's input.
    """
    attributes = read_attributes(files.attributes)
    stored, (people, roles) = stored_faces(files.aligned), _photos(files.aligned)
    embedder = PhotoEmbedder(params, files, device=device)
    trained, seen = trained_people(files.identities)
    training, here = _training_photos(people, roles, seen), trained_here(embedder.card)
    if not here:  # the people are in the training data, but were not trained on
        trained, seen = set(), set()
    pairs = without_trained(_listed(files.pairs, stored, params), trained)
    mean = choose_mean(pairs, training, people, params, partial(_vectors, embedder, params))
    evaluated = {p for p in roles if roles[p] == "evaluate"} if params.all_pairs else set()
    embedded, computed = embedder.embed(pairs.photos | evaluated, mirrored=params.flip != "none")
    write_embeddings(files.embeddings, embedded, embedder.origin)
    evaluation = evaluate(embedded, pairs, params, mean, seed)
    name = protocol_name(sources, pairs.counts()["folds"])
    identify = partial(report_identification, evaluation, people, params, reports=files.reports)
    gather = partial(report_galleries, evaluation, people, params.distance, reports=files.reports)
    working = partial(begin, in_worker=forked)
    with working(identify) as identification, working(gather) as galleries:
        _write_tables(evaluation, stored, name, files)
        qualities, weights = _qualities(embedded, files), embedder.card.weights_sha256
        write_reference(embedded, qualities, files, weights_sha256=weights, seed=seed)
        sides = _sides(evaluation, people, training, seen, here)
        return {
            "protocol": name,
            "pairs_sha256": file_digest(files.pairs),
            **_headline(evaluation, params),
            "fallbacks": sum(stored[photo] for photo in pairs.photos),
            **_embedding(embedded, computed, embedder),
            **_overlap(sides.shared),
            **report_operating_points(evaluation, params, files, galleries, protocol=name, **embedder.origin),
            **report_decisions(evaluation, reports=files.reports, cache=files.cache / "decisions"),
            **report_slices(evaluation, qualities, attributes, reports=files.reports),
            **report_leaks(sides, evaluation, embedder, params, files),
            **identification(),
        }


def evaluate(embedded: Embeddings, pairs: Pairs, params: EvaluateParams, mean: Mean, seed: int) -> Evaluation:
    """Return the verification of pairs by the embeddings of their photos, after subtracting the mean."""
    protocol = Protocol(
        metric=params.distance,
        subtract_mean=mean.source == "folds",
        sweep=params.sweep,
        far=params.far,
        rule=pairs.threshold_rule,
    )
    vectors = combine_flips(embedded.faces, embedded.flipped, params.flip)
    vectors = vectors if mean.value is None else vectors - mean.value
    measured = measure(vectors, pairs.rows(embedded.image_ids), protocol)
    return Evaluation(
        pairs=pairs,
        measured=measured,
        result=judge(measured, protocol),
        image_ids=embedded.image_ids,
        faces=embedded.faces,
        vectors=vectors,
        mean=mean,
        draws=params.bootstrap_draws,
        seed=seed,
    )


def _embedding(embedded: Embeddings, computed: int, embedder: PhotoEmbedder) -> dict[str, Any]:
    return {
        "images": len(embedded.image_ids),
        "images_embedded": computed,
        "images_per_second": round(computed / embedded.seconds, 1) if computed else None,
        "device": embedder.device,
        "precision": embedder.precision,
    }


def _headline(evaluation: Evaluation, params: EvaluateParams) -> dict[str, Any]:
    return {
        **evaluation.pairs.counts(),
        **evaluation.result.metrics(),
        "far_target": params.far,
        "accuracy_interval": list(evaluation.result.accuracy_interval()),
        "folds_scored": len(evaluation.result.folds),
        **params.model_dump(include=OPTIONS),
        "mean_source": evaluation.mean.source,
        "mean_people": evaluation.mean.people,
        "threshold_rule": evaluation.pairs.threshold_rule,
        **_beyond_grid(evaluation, params),
    }


def _beyond_grid(evaluation: Evaluation, params: EvaluateParams) -> dict[str, Any]:
    """Return the fraction of scored distances above davidsandberg's largest threshold, with a warning."""
    if params.sweep != "grid":
        return {}
    fraction = float(np.mean(evaluation.result.distances[evaluation.scored] >= ACCURACY_GRID[-1]))
    if fraction:
        logger.warning(
            "%.0f %% of the distances exceed 4, where davidsandberg's grid ends: AUC covers only part of the "
            "curve. Set evaluate.sweep to exact, distance to cosine or arccos, or flip to none.",
            100 * fraction,
        )
    return {"beyond_grid": fraction}


def _write_tables(
    evaluation: Evaluation, stored: Mapping[str, bool], name: str, files: EvaluatePaths
) -> None:
    result, pairs, reports = evaluation.result, evaluation.pairs, files.reports
    write_roc(reports / "roc.csv", result.curve)
    write_folds(reports / "folds.csv", result.folds)
    left_out = pairs.left_out(stored)
    rows = left_out.itertuples(index=False, name=None)
    write_table(reports / "missing_pairs.csv", (*NAMES, "same", "fold", "reason"), rows)
    draw_roc(reports / "roc.png", result.curve, title=name, negatives=pairs.negatives)
    draw_worst(reports / "worst_errors.png", result, pairs, files.aligned)
    draw_correct(reports / "correct_pairs.png", result, pairs, files.aligned)


def _listed(pairs: Path, stored: Mapping[str, bool], params: EvaluateParams) -> Pairs:
    fallbacks = [photo for photo, fallback in stored.items() if fallback]
    return read_pairs(pairs, stored, fallbacks=fallbacks, missing=params.missing)


def _photos(aligned: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the person and the role of every stored photo."""
    columns = read_table(aligned, "faces", ["image_id", "identity", "role"])
    image_ids, people, roles = (column.to_pylist() for column in columns.columns)
    return dict(zip(image_ids, people, strict=True)), dict(zip(image_ids, roles, strict=True))


def _qualities(embedded: Embeddings, files: EvaluatePaths) -> pd.DataFrame:
    places = find_locations(files.aligned, set(embedded.image_ids))  # both are in the order of the table
    return photo_qualities(files.aligned, places, embedded.digests, files.cache)


def _vectors(embedder: PhotoEmbedder, params: EvaluateParams, photos: Collection[str]) -> Floats:
    embedded, _ = embedder.embed(photos, mirrored=params.flip != "none")
    return combine_flips(embedded.faces, embedded.flipped, params.flip)


def _training_photos(people: Mapping[str, str], roles: Mapping[str, str], names: set[str]) -> list[str]:
    """Return the photos with the role train of people with these folded names."""
    chosen = {name for name in set(people.values()) if fold_name(name) in names}
    return [photo for photo, role in roles.items() if role == "train" and people[photo] in chosen]


def _sides(
    evaluation: Evaluation, people: Mapping[str, str], training: Sequence[str], seen: set[str], here: bool
) -> Sides:
    """Return the photos of scored pairs and of training; `seen`: folded names of those trained on."""
    scored = evaluation.pairs.usable[evaluation.scored]
    return Sides(
        identities=people,
        evaluated=sorted({*scored["left"], *scored["right"]}),
        trained=training,
        shared=shared_identities(evaluation.pairs, seen),
        trained_here=here,
    )


def _overlap(shared: Sequence[str]) -> dict[str, Any]:
    """Return the number of evaluated people who are in the training data, with a warning if there are any."""
    if not shared:
        return {"identity_overlap": 0}
    warning = (
        f"{len(shared)} OF THE EVALUATED PEOPLE WERE TRAINED ON: THESE METRICS ARE TOO OPTIMISTIC. "
        f"THE FIRST ARE: {', '.join(shared[:SHOWN])}"
    )
    logger.warning(warning)
    return {"identity_overlap": len(shared), "identity_overlap_warning": warning}

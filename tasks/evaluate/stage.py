"""The work of the stage: pairs in, figures out."""

import hashlib
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from facenet.evaluation.distances import combine_flips
from facenet.evaluation.protocol import Protocol, Verification, verify
from facenet.model import Embedder, ModelCard, load_model
from tasks import paths
from tasks.evaluate.embeddings import Embeddings, embed_faces, stored_faces, write_embeddings
from tasks.evaluate.pairs import (
    Pairs,
    protocol_name,
    read_pairs,
    shared_identities,
    trained_people,
    without_trained,
)
from tasks.evaluate.roc_picture import draw_roc
from tasks.evaluate.tables import write_folds, write_roc
from tasks.evaluate.work import Worker, find_places, load_worker
from tasks.evaluate.worst import draw_worst
from tasks.params import EvaluateParams, Source
from tasks.workers import scheduler_address

SHOWN = 5  # names in a warning
OPTIONS = {"distance", "flip", "subtract_mean", "sweep"}  # of the protocol, told with its figures
CLUSTER_ROWS = 256  # of a job, each of which costs Dask 0.15 s

logger = logging.getLogger(__name__)


def run(
    params: EvaluateParams,
    *,
    device: str,
    sources: Sequence[Source],
    aligned: Path = paths.ALIGNED,
    pairs: Path = paths.PAIRS,
    identities: Path = paths.IDENTITIES,
    weights: Path = paths.WEIGHTS,
    card: Path = paths.MODEL_CARD,
    embeddings: Path = paths.EMBEDDINGS,
    reports: Path = paths.REPORTS,
) -> dict[str, Any]:
    """Embed the photos of all pairs, verify them, write embeddings, tables and pictures, return the figures.

    Raises:
        PairsFileInvalid: the pairs cannot be scored.
        DataInvalid: faces or identities are missing.
        WeightsInvalid: the model is missing or gives embeddings that are not finite.
        ParamsInvalid: the faces are smaller than the network's input.
    """
    stored = stored_faces(aligned)
    network, model_card = load_model(weights, card, device)
    trained = _trained(identities, model_card)
    chosen = without_trained(read_pairs(pairs, stored), trained)
    overlap = _overlap(chosen, trained)
    embedder = Embedder(
        network,
        image_size=model_card.network.image_size,
        device=device,
        precision=params.precision,
        batch_size=params.batch_size,
        standardisation=model_card.standardisation,
    )
    photos, flip = chosen.photos, params.flip != "none"
    make_worker, rows = partial(Worker, embedder, aligned, flip), embedder.batch_size
    if scheduler_address():
        make_worker, rows = _cluster_worker(embedder, weights, card, aligned, flip), CLUSTER_ROWS
    embedded = embed_faces(make_worker, find_places(aligned, photos), rows)
    write_embeddings(embeddings, embedded, _origin(model_card, embedder))
    result = _verify(embedded, chosen, params)
    name = protocol_name(sources, chosen.counts()["folds"])
    _show(result, chosen, name, aligned, reports)
    return {
        "protocol": name,
        "pairs_sha256": hashlib.sha256(pairs.read_bytes()).hexdigest(),
        **chosen.counts(),
        **result.figures(),
        "far_target": params.far,
        "accuracy_interval": list(result.accuracy_interval()),
        "folds_scored": len(result.folds),
        "fallbacks": sum(stored[photo] for photo in photos),
        "images": len(photos),
        **overlap,
        **params.model_dump(include=OPTIONS),
        "device": str(embedder.device),
        "precision": embedder.precision,
        "images_per_second": round(len(photos) / embedded.seconds, 1),
    }


def _show(result: Verification, pairs: Pairs, name: str, aligned: Path, reports: Path) -> None:
    write_roc(reports / "roc.csv", result.curve)
    write_folds(reports / "folds.csv", result.folds)
    draw_roc(reports / "roc.png", result.curve, title=name, negatives=pairs.negatives)
    draw_worst(reports / "worst_errors.png", result, pairs, aligned)


def _cluster_worker(
    embedder: Embedder, weights: Path, card: Path, aligned: Path, flip: bool
) -> partial[Worker]:
    return partial(
        load_worker,
        weights.absolute(),
        card.absolute(),
        device=str(embedder.device),
        precision=embedder.precision,
        batch_size=embedder.batch_size,
        aligned=aligned.absolute(),
        flip=flip,
    )


def _origin(card: ModelCard, embedder: Embedder) -> dict[str, str]:
    return {"weights_sha256": card.weights_sha256, "precision": embedder.precision}


def _verify(embedded: Embeddings, pairs: Pairs, params: EvaluateParams) -> Verification:
    protocol = Protocol(
        metric=params.distance,
        subtract_mean=params.subtract_mean,
        sweep=params.sweep,
        far=params.far,
        balanced=pairs.trained > 0,  # what is left of them is no longer half and half
    )
    vectors = combine_flips(embedded.faces, embedded.flipped, params.flip)
    return verify(vectors, pairs.rows(embedded.image_ids), protocol)


def _trained(identities: Path, card: ModelCard) -> set[str]:
    """Return who trained; weights that came as they are were not trained on our people."""
    return set() if card.params.get("train", {}).get("epochs") == 0 else trained_people(identities)


def _overlap(pairs: Pairs, trained: set[str]) -> dict[str, Any]:
    """Return how many evaluated people trained, with a warning if there are any."""
    shared = shared_identities(pairs, trained)
    if not shared:
        return {"identity_overlap": 0}
    warning = (
        f"{len(shared)} OF THE EVALUATED PEOPLE WERE TRAINED ON: THESE FIGURES ARE TOO GOOD. "
        f"FIRST OF THEM: {', '.join(shared[:SHOWN])}"
    )
    logger.warning(warning)
    return {"identity_overlap": len(shared), "identity_overlap_warning": warning}

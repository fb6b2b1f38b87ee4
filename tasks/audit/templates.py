"""Comparable vectors of the stored faces, by a model of the workspace, the registry or elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import unit_rows
from facenet.matching import read_matcher
from facenet.model import CALIBRATION, CARD, WEIGHTS, ModelCard, checked_card
from facenet.model_folder import model_digest
from facenet.model_source import model_folder
from tasks.audit.realigned import aligned_for
from tasks.audit.stored import AuditPaths, Names
from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.photo_embedder import PhotoEmbedder
from tasks.params import Params

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Templates:
    """(N, D) templates of faces, and where they come from.

    origin, digest, card: of the model. computed: how many faces had to be embedded. realigned: whether the
    model needs faces that are aligned differently from the stored ones.
    """

    vectors: Vectors
    origin: str
    digest: str
    card: ModelCard
    computed: int
    realigned: bool


def read_templates(
    source: str | None, photos: Names, params: Params, files: AuditPaths, *, tick: Callable[[int], None]
) -> Templates:
    """Return the templates of photos (N,), in their order; embeddings that evaluate has cached are reused.

    Args:
        source: a model, see FaceModel.load.
        photos: image_ids.
        params: of the workspace: how faces are aligned, and device, precision and batch size.
        files: of the workspace.
        tick: called with the number of photos aligned since the last call, if they have to be.

    Raises:
        SourceInvalid: the registry has no such version, or cannot be used.
        WeightsInvalid: a file of the model is missing or invalid, or an embedding is not finite.
    """
    with model_folder(source) as (folder, origin):
        card = checked_card(folder / WEIGHTS, folder / CARD)
        matcher = read_matcher(folder / CALIBRATION, card.weights_sha256)
        flipped = matcher is not None and matcher.flip != "none"
        with aligned_for(card.align, params.align, aligned=files.aligned, raw=files.raw, tick=tick) as (
            aligned,
            realigned,
        ):
            paths = EvaluatePaths(
                aligned=aligned, weights=folder / WEIGHTS, card=folder / CARD, cache=files.cache
            )
            embedder = PhotoEmbedder(params.evaluate, paths, device=params.base.device)
            embedded, computed = embedder.embed(set(photos.tolist()), mirrored=flipped)
    found = (
        matcher.templates(embedded.faces, embedded.flipped)
        if matcher is not None
        else np.asarray(unit_rows(embedded.faces))
    )
    place = {photo: row for row, photo in enumerate(embedded.image_ids)}
    return Templates(
        vectors=np.asarray(found, np.float32)[[place[photo] for photo in photos.tolist()]],
        origin=origin.words,
        digest=model_digest(card, matcher),
        card=card,
        computed=computed,
        realigned=realigned,
    )

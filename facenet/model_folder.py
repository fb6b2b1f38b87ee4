"""The files of a model that answers: weights, card, detector and calibration, and what is built from them."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from facenet.detection import (
    DEFAULT_TEMPLATE,
    MTCNN,
    CropSettings,
    DetectorSettings,
    FaceAligner,
    read_mtcnn_weights,
    save_mtcnn_weights,
)
from facenet.devices import resolve_device, resolve_precision
from facenet.digests import value_digest
from facenet.embedder import ChunkEmbedder, load_embedder
from facenet.errors import ExportFailed, ParamsInvalid, WeightsInvalid
from facenet.export import EMBEDDER
from facenet.matching import Matcher, read_matcher
from facenet.model import CALIBRATION, CARD, DETECTOR, MONITORING, WEIGHTS, ModelCard
from facenet.monitoring.reference import Reference, read_reference
from facenet.runtimes import load_graph_embedder, openvino_is_faster
from facenet.site_calibration.calibration import SITE_FILE, SiteCalibration

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelParts:
    """What FaceModel computes with, configured as the model was evaluated.

    embedder: for a few faces at once, see ChunkEmbedder's `adaptive`. matcher: None for a model that was not
    evaluated. site: None without a site calibration; otherwise `matcher` has its thresholds and curve, and
    `evaluation` is the calibration that they replace. reference: None for a model that was evaluated before
    references were measured.
    """

    card: ModelCard
    aligner: FaceAligner
    embedder: ChunkEmbedder
    matcher: Matcher | None
    site: SiteCalibration | None = None
    evaluation: Matcher | None = None
    reference: Reference | None = None

    @property
    def evaluated(self) -> Matcher | None:
        """The calibration by the evaluation."""
        return self.evaluation or self.matcher


def load_parts(
    folder: Path, *, device: str, batch_size: int, runtime: str = "torch", site: str | Path | bool = True
) -> ModelParts:
    """Return the parts of the model in a folder: a registered version's `artifacts`, or `models/`.

    device: a torch device, or "auto" for the best available one. batch_size: faces embedded at once.
    runtime: of the embedding network: "torch", or "onnx" or "openvino" on the CPU, or "auto" for OpenVINO
        where it can be used and is faster, torch otherwise. Detection has its own.
    site: file of a site calibration; True: that in the folder, if any; False: none.

    Raises:
        WeightsInvalid: a file is missing or invalid, or the files belong to different models.
        ParamsInvalid: the device is not available, the runtime unknown or not able to use the device.
        PackageMissing: a package that the runtime needs is not installed.
    """
    if not folder.is_dir():
        raise WeightsInvalid(f"There is no folder {folder.absolute()} with a model.")
    chosen = resolve_device("cpu" if runtime not in ("auto", "torch") and device == "auto" else device)
    card = ModelCard.read(folder / CARD)
    matcher = read_matcher(folder / CALIBRATION, card.weights_sha256)
    calibration = read_site(folder, card, matcher, site)
    reference = read_reference(folder / MONITORING, card.weights_sha256)
    precision = (matcher.precision if matcher else None) or card.precision
    embedder = _embedder(folder, runtime, device=chosen, batch_size=batch_size, precision=precision)
    aligner = _aligner(card, folder / DETECTOR, chosen)
    if calibration is None or matcher is None:
        return ModelParts(card, aligner, embedder, matcher, reference=reference)
    applied = calibration.applied(matcher)
    return ModelParts(card, aligner, embedder, applied, calibration, matcher, reference)


def read_site(
    folder: Path, card: ModelCard, matcher: Matcher | None, site: str | Path | bool = True
) -> SiteCalibration | None:
    """Return the site calibration of a model: the file `site`; True: that in its folder, if any; False: none.

    Raises:
        WeightsInvalid: the file is missing or invalid, belongs to another model, or to none that can decide.
    """
    if site is False or (site is True and not (folder / SITE_FILE).exists()):
        return None
    path = folder / SITE_FILE if site is True else Path(site)
    calibration = SiteCalibration.read(path)
    if matcher is None:
        raise WeightsInvalid(
            f"The site calibration {calibration.name!r} needs a model that was evaluated. Run `dvc repro "
            "evaluate`."
        )
    calibration.check(model_digest(card, matcher), path)
    return calibration


def _embedder(
    folder: Path, runtime: str, *, device: torch.device, batch_size: int, precision: str
) -> ChunkEmbedder:
    if runtime == "auto":
        if openvino_is_faster(folder, device, resolve_precision(precision, device)):
            try:
                return load_graph_embedder(folder, "openvino", batch_size=batch_size, adaptive=True)[0]
            except ExportFailed as error:
                _log.warning("Embedding with torch instead of OpenVINO: %s", error)
    elif runtime != "torch":
        if device.type != "cpu":
            raise ParamsInvalid(
                f"The runtime {runtime} computes on the CPU, not on {device}. Use device cpu."
            )
        return load_graph_embedder(folder, runtime, batch_size=batch_size, adaptive=True)[0]
    if (folder / EMBEDDER).exists() and not (folder / WEIGHTS).exists():
        raise WeightsInvalid(f"{folder} is an exported model. Load it with the runtime onnx or openvino.")
    return load_embedder(
        folder / WEIGHTS,
        folder / CARD,
        device=device,
        batch_size=batch_size,
        precision=precision,
        adaptive=True,
    )[0]


def model_digest(card: ModelCard, matcher: Matcher | None) -> str:
    """Return the sha256 in hexadecimal of all that determines a template.

    Weights and network, alignment, standardisation, and of the calibration flip, mean and metric. Precision
    and device only round.
    """
    compared: dict[str, Any] = {}
    if matcher is not None:
        compared = {"metric": matcher.metric, "flip": matcher.flip, "mean": matcher.mean}
    return value_digest(
        {
            "weights_sha256": card.weights_sha256,
            "network": vars(card.network),
            "align": card.align,
            "standardisation": card.standardisation,
            **compared,
        }
    )


def template_size(card: ModelCard, matcher: Matcher | None) -> int:
    """Return D of the (D,) templates; 0 for a model that was not evaluated, which has none."""
    if matcher is None:
        return 0
    return card.network.embedding_size * (2 if matcher.flip == "concatenate" else 1)


def save_detector(folder: Path) -> Path:
    """Write the detector's weights to `folder` in the form that `load_parts` reads; return the file.

    A model that includes them can be used without the mtcnn package.
    """
    save_mtcnn_weights(folder / DETECTOR)
    return folder / DETECTOR


def _aligner(card: ModelCard, weights: Path, device: torch.device) -> FaceAligner:
    align = card.align
    detector = DetectorSettings(
        min_face=align["min_face"],
        thresholds=tuple(align["thresholds"]),
        factor=align["factor"],
        max_side=align["max_side"],
    )
    crop = CropSettings(
        method=align["method"],
        image_size=align["image_size"],
        margin=align["margin"],
        margin_in=align["margin_in"],
        template=align.get("template", DEFAULT_TEMPLATE),
    )
    if crop.method == "none":
        return FaceAligner(None, align["selection"], crop)
    trained = read_mtcnn_weights(weights) if weights.exists() else None  # those of the mtcnn package
    return FaceAligner(MTCNN(detector, device=device, weights=trained), align["selection"], crop)

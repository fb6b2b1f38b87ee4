"""The metadata of exported files: what a program needs to use them as the model was evaluated."""

import dataclasses
import json
from typing import Any

from facenet.detection.crop import DEFAULT_TEMPLATE
from facenet.detection.templates import TEMPLATES
from facenet.matching import Matcher
from facenet.model import ModelCard

FORMAT = 1
INPUTS = {
    "embedder": "uint8 RGB, 0 to 255: the centre image_size x image_size pixels of an aligned face, odd "
    "remainders right and below",
    "pnet": "float32 RGB, 0 to 255: the photo reduced to a scale, each pixel the mean of its area",
    "rnet": "float32 RGB, 0 to 255: crops of 24 x 24 pixels, each the mean of its area",
    "onet": "float32 RGB, 0 to 255: crops of 48 x 48 pixels, each the mean of its area",
}


def embedder_metadata(card: ModelCard, matcher: Matcher | None) -> dict[str, str]:
    """Return the metadata of the embedder, every value as JSON.

    standardisation: applied inside the graph. unit_length: whether embeddings have it. align: parameters of
    the alignment, with the template for method similarity. calibration: all of calibration.json; flip, metric
    and threshold repeat it. A model that was not evaluated has none of these four.

    Args:
        card: of the model.
        matcher: its calibration; None if it was not evaluated.
    """
    align = dict(card.align)
    if align["method"] == "similarity":
        name = align.get("template", DEFAULT_TEMPLATE)
        align["template"] = {"name": name, **dataclasses.asdict(TEMPLATES[name])}
    network = card.network
    fields: dict[str, Any] = {
        "network": network.name,
        "variant": network.variant,
        "image_size": network.image_size,
        "embedding_size": network.embedding_size,
        "standardisation": card.standardisation,
        "align": align,
        "weights_sha256": card.weights_sha256,
    }
    if matcher is not None:
        fields["calibration"] = dataclasses.asdict(matcher)
        fields |= {name: getattr(matcher, name) for name in ("flip", "metric", "threshold")}
    return _encoded("embedder", fields)


def detector_metadata(name: str, card: ModelCard, weights_sha256: str) -> dict[str, str]:
    """Return the metadata of `pnet`, `rnet` or `onet`, every value as JSON.

    detector: the settings of the cascade. weights_sha256: of mtcnn.safetensors.
    """
    names = ("min_face", "thresholds", "factor", "max_side", "selection")
    detector = {setting: card.align[setting] for setting in names}
    fields = {"standardisation": "fixed", "detector": detector, "weights_sha256": weights_sha256}
    return _encoded(name, fields)


def _encoded(kind: str, fields: dict[str, Any]) -> dict[str, str]:
    fields = {"format": FORMAT, "kind": kind, "input": INPUTS[kind], **fields}
    return {name: json.dumps(value, allow_nan=False) for name, value in fields.items()}

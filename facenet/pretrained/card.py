"""The card of the pretrained model: its network, and the alignment its calibration was measured with."""

from facenet.model import ModelCard, NetworkCard
from facenet.networks.dlib_file import ORIGIN, SHA256

# Section align of the recipe `pretrained`.
ALIGN = {
    "min_face": 20,
    "thresholds": [0.6, 0.7, 0.7],
    "factor": 0.709,
    "max_side": 4096,
    "selection": "center_weighted",
    "method": "similarity",
    "image_size": 150,
    "margin": 0,
    "margin_in": "source",
    "template": "ours",
    "image_format": "webp",
}


def pretrained_card() -> ModelCard:
    """Return the card without the digest of the weights."""
    return ModelCard(
        network=NetworkCard(name="dlib_resnet", embedding_size=128, image_size=150, variant="affine"),
        align=dict(ALIGN),
        standardisation="dlib",
        data={"init": SHA256},
        origin=dict(ORIGIN),
    )

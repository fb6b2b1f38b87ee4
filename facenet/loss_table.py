"""Every loss by name: the one place where a new one is registered.

torch is not imported here, so that checking params.yaml stays fast; `facenet.losses.build` imports the module
of a loss when it is needed.
"""

from dataclasses import dataclass
from typing import Literal

Needs = Literal["labels", "triplets", "pairs"]


@dataclass(frozen=True)
class LossEntry:
    """Where a loss is implemented and what a batch must contain.

    module, class_name: of a facenet.losses.output.Loss.
    needs: labels, any images with their people; triplets or pairs, images that form some.
    """

    module: str
    class_name: str
    needs: Needs


LOSSES: dict[str, LossEntry] = {
    "softmax": LossEntry("facenet.losses.softmax", "SoftmaxLoss", "labels"),
    "softmax_squared": LossEntry("facenet.losses.softmax_squared", "SoftmaxSquaredLoss", "labels"),
    "cosface": LossEntry("facenet.losses.cosface", "CosineSoftmaxLoss", "labels"),
    "arcface": LossEntry("facenet.losses.arcface", "ArcFaceLoss", "labels"),
    "triplet": LossEntry("facenet.losses.triplet", "TripletLoss", "triplets"),
    "contrastive": LossEntry("facenet.losses.contrastive", "ContrastiveLoss", "pairs"),
}

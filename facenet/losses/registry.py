"""Losses by name."""

from dataclasses import dataclass
from typing import Any

from facenet.errors import ParamsInvalid
from facenet.losses.arcface import ArcFaceLoss
from facenet.losses.center import CenterLoss
from facenet.losses.classification import ClassificationLoss
from facenet.losses.contrastive import ContrastiveLoss
from facenet.losses.cosface import CosineSoftmaxLoss
from facenet.losses.output import Loss
from facenet.losses.softmax import SoftmaxLoss
from facenet.losses.softmax_squared import SoftmaxSquaredLoss
from facenet.losses.triplet import TripletLoss

LINEAR = {"softmax": SoftmaxLoss, "softmax_squared": SoftmaxSquaredLoss}
COSINE = {"cosface": CosineSoftmaxLoss, "arcface": ArcFaceLoss}
LOSSES = (*LINEAR, *COSINE, "triplet", "contrastive")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What losses can be told; each takes what concerns it.

    margin: of cosface (cosine), arcface (radians), triplet (squared distance), contrastive (distance).
    scale: of cosface and arcface.
    prelogits_norm_factor, prelogits_norm_p: of losses that classify.
    center_factor: of a center loss beside one that classifies; 0 is none.
    center_version, center_rate: see facenet.losses.center.
    head_share, head_sampled_above: of losses that classify, see ClassificationLoss.
    mining, triplet_reduction: of triplet.
    listed: whether triplet and contrastive take the rows of a batch as they stand, side by side.
    normalised: whether triplet and contrastive bring prelogits to unit length.
    """

    margin: float = 0.2
    scale: float = 32.0
    prelogits_norm_factor: float = 0.0
    prelogits_norm_p: float = 1.0
    center_factor: float = 0.0
    center_version: str = "wen"
    center_rate: float = 0.5
    head_share: float = 1.0
    head_sampled_above: int = 0
    mining: str = "semihard"
    triplet_reduction: str = "active"
    listed: bool = False
    normalised: bool = True


def build(name: str, *, embedding_size: int, classes: int, **settings: Any) -> Loss:
    """Return the loss called `name`, its weights drawn from PyTorch's global generator.

    Args:
        name: one of LOSSES: four that classify, and two on distances.
        embedding_size: width of the prelogits.
        classes: number of training people; not used by losses on distances.
        settings: fields of Settings.

    Raises:
        ParamsInvalid: no loss, strategy, reduction or version of that name, too few classes, or a prelogits
            norm or center loss beside a loss on distances.
    """
    if name not in LOSSES:
        raise ParamsInvalid(f"There is no loss {name!r}. Set train.loss to one of: {', '.join(LOSSES)}.")
    given = Settings(**settings)
    if name in LINEAR or name in COSINE:
        return _classification(name, embedding_size, classes, given)
    return _distance(name, given)


def _classification(name: str, embedding_size: int, classes: int, given: Settings) -> Loss:
    options = {
        "norm_factor": given.prelogits_norm_factor,
        "norm_p": given.prelogits_norm_p,
        "share": given.head_share,
        "sampled_above": given.head_sampled_above,
    }
    head: ClassificationLoss
    if name in LINEAR:
        head = LINEAR[name](embedding_size, classes, **options)
    else:
        head = COSINE[name](embedding_size, classes, margin=given.margin, scale=given.scale, **options)
    if not given.center_factor:
        return head
    return CenterLoss(
        head,
        embedding_size,
        version=given.center_version,
        factor=given.center_factor,
        rate=given.center_rate,
    )


def _distance(name: str, given: Settings) -> Loss:
    for key in ("prelogits_norm_factor", "center_factor"):
        if getattr(given, key):
            raise ParamsInvalid(
                f"The {name} loss is one of distances and has no {key}. Set train.{key} to 0."
            )
    if name == "contrastive":
        return ContrastiveLoss(margin=given.margin, listed=given.listed, normalised=given.normalised)
    return TripletLoss(
        margin=given.margin,
        mining=given.mining,
        reduction=given.triplet_reduction,
        listed=given.listed,
        normalised=given.normalised,
    )

"""Losses by name."""

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


def build(
    name: str,
    *,
    embedding_size: int,
    classes: int,
    margin: float = 0.2,
    scale: float = 32.0,
    prelogits_norm_factor: float = 0.0,
    prelogits_norm_p: float = 1.0,
    center_factor: float = 0.0,
    center_version: str = "wen",
    center_rate: float = 0.5,
    head_share: float = 1.0,
    head_sampled_above: int = 0,
    mining: str = "semihard",
    triplet_reduction: str = "active",
    listed: bool = False,
    normalised: bool = True,
) -> Loss:
    """Return the loss called `name`, its weights drawn from PyTorch's global generator.

    Args:
        name: one of LOSSES: four that classify, and two on distances.
        embedding_size: width of the prelogits.
        classes: number of training people; not used by losses on distances.
        margin: of cosface (cosine), arcface (radians), triplet (squared distance), contrastive (distance).
        scale: of cosface and arcface.
        prelogits_norm_factor: of losses that classify.
        prelogits_norm_p: of losses that classify.
        center_factor: of the center loss beside one that classifies; 0 is none.
        center_version: see facenet.losses.center.
        center_rate: of the centres.
        head_share: of the people who are not in the batch, in a sampled head; see ClassificationLoss.
        head_sampled_above: number of people.
        mining: of triplet.
        triplet_reduction: of triplet.
        listed: whether rows of a batch are pairs (contrastive) or triplets, side by side.
        normalised: whether losses on distances bring prelogits to unit length.

    Raises:
        ParamsInvalid: no loss, strategy, reduction or version of that name, too few classes, or a prelogits
            norm or center loss beside a loss on distances.
    """
    if name not in LOSSES:
        raise ParamsInvalid(f"There is no loss {name!r}. Set train.loss to one of: {', '.join(LOSSES)}.")
    if name in ("triplet", "contrastive"):
        _refuse(name, {"prelogits_norm_factor": prelogits_norm_factor, "center_factor": center_factor})
        if name == "contrastive":
            return ContrastiveLoss(margin=margin, listed=listed, normalised=normalised)
        return TripletLoss(
            margin=margin, mining=mining, reduction=triplet_reduction, listed=listed, normalised=normalised
        )
    options = {
        "norm_factor": prelogits_norm_factor,
        "norm_p": prelogits_norm_p,
        "share": head_share,
        "sampled_above": head_sampled_above,
    }
    head = _head(name, embedding_size, classes, margin=margin, scale=scale, options=options)
    if not center_factor:
        return head
    return CenterLoss(head, embedding_size, version=center_version, factor=center_factor, rate=center_rate)


def _head(
    name: str, embedding_size: int, classes: int, *, margin: float, scale: float, options: dict[str, Any]
) -> ClassificationLoss:
    if name in LINEAR:
        return LINEAR[name](embedding_size, classes, **options)
    return COSINE[name](embedding_size, classes, margin=margin, scale=scale, **options)


def _refuse(name: str, factors: dict[str, float]) -> None:
    for key, value in factors.items():
        if value:
            raise ParamsInvalid(
                f"The {name} loss is one of distances and has no {key}. Set train.{key} to 0."
            )

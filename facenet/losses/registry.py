"""Losses by name."""

from facenet.errors import ParamsInvalid
from facenet.losses.cosface import CosineSoftmaxLoss
from facenet.losses.output import Loss
from facenet.losses.softmax import SoftmaxLoss
from facenet.losses.triplet import TripletLoss

LOSSES = ("softmax", "cosface", "triplet")


def build(
    name: str,
    *,
    embedding_size: int,
    classes: int,
    margin: float = 0.2,
    scale: float = 32.0,
    prelogits_norm_factor: float = 0.0,
    prelogits_norm_p: float = 1.0,
    mining: str = "semihard",
) -> Loss:
    """Return the loss called `name`, its weights drawn from PyTorch's global generator.

    Args:
        name: softmax, cosface or triplet.
        embedding_size: width of the prelogits.
        classes: number of training people; not used by triplet.
        margin: of cosface (in cosine) and triplet (in squared distance).
        scale: of cosface.
        prelogits_norm_factor: of softmax and cosface.
        prelogits_norm_p: of softmax and cosface.
        mining: of triplet.

    Raises:
        ParamsInvalid: no loss or strategy of that name, too few classes, or a prelogits norm for triplet.
    """
    norm = {"norm_factor": prelogits_norm_factor, "norm_p": prelogits_norm_p}
    if name == "softmax":
        return SoftmaxLoss(embedding_size, classes, **norm)
    if name == "cosface":
        return CosineSoftmaxLoss(embedding_size, classes, margin=margin, scale=scale, **norm)
    if name != "triplet":
        raise ParamsInvalid(f"There is no loss {name!r}. Set train.loss to one of: {', '.join(LOSSES)}.")
    if prelogits_norm_factor:
        raise ParamsInvalid(
            "The triplet loss normalises its embeddings and takes no prelogits norm. "
            "Set train.prelogits_norm_factor to 0."
        )
    return TripletLoss(margin=margin, mining=mining)

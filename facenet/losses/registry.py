"""Build a loss by name."""

from importlib import import_module
from typing import Any

from facenet.errors import ParamsInvalid
from facenet.loss_table import LOSSES
from facenet.losses.center import CenterLoss
from facenet.losses.classification import ClassificationLoss
from facenet.losses.output import Loss, LossSettings

OF_CLASSIFICATION = ("prelogits_norm_factor", "center_factor")


def build(name: str, *, embedding_size: int, classes: int, **settings: Any) -> Loss:
    """Return the loss called `name`, its weights drawn from PyTorch's global generator.

    Args:
        name: a key of facenet.loss_table.LOSSES.
        embedding_size: width of the prelogits.
        classes: number of training people.
        settings: other fields of LossSettings.

    Raises:
        ParamsInvalid: unknown loss, mining strategy, reduction or center loss version, too few classes, or a
            prelogits norm or center loss on top of a loss on distances.
    """
    if name not in LOSSES:
        raise ParamsInvalid(f"There is no loss {name!r}. Set train.loss to one of: {', '.join(LOSSES)}.")
    given = LossSettings(embedding_size=embedding_size, classes=classes, **settings)
    entry = LOSSES[name]
    loss_class: type[Loss] = getattr(import_module(entry.module), entry.class_name)
    loss = loss_class.from_settings(given)
    if not isinstance(loss, ClassificationLoss):
        _check_unused(name, given)
        return loss
    if not given.center_factor:
        return loss
    return CenterLoss(
        loss,
        embedding_size,
        version=given.center_version,
        factor=given.center_factor,
        lr=given.center_rate,
    )


def _check_unused(name: str, given: LossSettings) -> None:
    for key in OF_CLASSIFICATION:
        if getattr(given, key):
            raise ParamsInvalid(f"The {name} loss compares distances and has no {key}. Set train.{key} to 0.")

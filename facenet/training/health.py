"""Detect runs that have diverged or collapsed, early and with an explanation."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from facenet.errors import EmbeddingCollapsed, TrainingDiverged

PATIENCE = 50  # steps in a row
NARROW = 1e-3  # spread of the embeddings, 0 to 1; below it, squared distances are far below any margin


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The context of a check: the step, from 1, its learning rate and the precision of the run."""

    step: int
    lr: float
    precision: str


def check_finite(value: float, what: str, moment: Moment) -> None:
    """Raise TrainingDiverged, with the likely cause, unless `value` is finite."""
    if math.isfinite(value):
        return
    if moment.step == 1:
        cause = "the initial weights or the faces are at fault, since this is step 1: check train.init"
    elif moment.precision == "fp16":
        cause = "fp16 overflows above 65504: set base.precision to bf16 or fp32"
    else:
        cause = (
            f"the learning rate {moment.lr:g} is too high: lower train.schedule.rate, extend the warmup "
            "or set train.clip_norm"
        )
    raise TrainingDiverged(
        f"The {what} is {value} at step {moment.step}, learning rate {moment.lr:g}, {moment.precision}. "
        f"Most likely {cause}. The last checkpoint, from an earlier step, is kept."
    )


def check_weights(tensors: Iterable[torch.Tensor], moment: Moment) -> None:
    """Raise TrainingDiverged if any floating-point tensor has a value that is not finite."""
    for tensor in tensors:
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            check_finite(math.nan, "state of the network", moment)


@dataclass
class CollapseWatch:
    """Detects collapse: all embeddings at one point, from which a triplet loss does not recover.

    steps: number of consecutive collapsed steps so far.
    """

    steps: int = 0

    def check(self, loss: float, spread: float | None) -> None:
        """Check the loss and spread (see TripletLoss; None for other losses) of one more step.

        Raises:
            EmbeddingCollapsed: the last PATIENCE steps were all collapsed.
        """
        self.steps = self.steps + 1 if spread is not None and spread < NARROW else 0
        if self.steps >= PATIENCE:
            raise EmbeddingCollapsed(
                f"For {self.steps} steps all embeddings have been at one point (spread {spread:.1e}); the "
                f"triplet loss is {loss:.4f}, equal to its margin, or zero if mining finds nothing. Lower "
                "train.schedule.rate, set train.mining to semihard or all, or start from a network trained "
                "with softmax (train.init)."
            )

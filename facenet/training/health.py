"""Tell early, and in words, that a run is beyond hope."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from facenet.errors import EmbeddingCollapsed, TrainingDiverged

PATIENCE = 50  # steps in a row
NARROW = 1e-3  # spread of the embeddings, 0 to 1: squared distances are then far below any margin


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When something was seen: the step, from 1, its learning rate and the precision of the run."""

    step: int
    rate: float
    precision: str


def check_finite(value: float, what: str, moment: Moment) -> None:
    """Raise TrainingDiverged, with the likely cause, unless `value` is finite."""
    if math.isfinite(value):
        return
    if moment.step == 1:
        cause = "the first step fails, so the weights or the faces themselves are the cause: check train.init"
    elif moment.precision == "fp16":
        cause = "fp16 overflows above 65504: set base.precision to bf16 or fp32"
    else:
        cause = (
            f"the learning rate {moment.rate:g} is too high: lower train.schedule.rate, warm up for longer "
            "or set train.clip_norm"
        )
    raise TrainingDiverged(
        f"The {what} is {value} at step {moment.step}, learning rate {moment.rate:g}, {moment.precision}. "
        f"Most likely {cause}. The last checkpoint, from before it, is kept."
    )


def check_weights(tensors: Iterable[torch.Tensor], moment: Moment) -> None:
    """Raise TrainingDiverged if any floating-point tensor has a value that is not finite."""
    for tensor in tensors:
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            check_finite(math.nan, "state of the network", moment)


@dataclass
class CollapseWatch:
    """Notices when all embeddings have fallen onto one point, from which no triplet loss returns.

    steps: collapsed steps in a row so far.
    """

    steps: int = 0

    def look(self, loss: float, spread: float | None) -> None:
        """Take in loss and spread (see TripletLoss; None for other losses) of one more step.

        Raises:
            EmbeddingCollapsed: it was so for PATIENCE steps in a row.
        """
        self.steps = self.steps + 1 if spread is not None and spread < NARROW else 0
        if self.steps >= PATIENCE:
            raise EmbeddingCollapsed(
                f"For {self.steps} steps all embeddings lie on one point (spread {spread:.1e}); the "
                f"triplet loss is {loss:.4f}, its margin, or zero where mining finds nothing. Lower "
                "train.schedule.rate, set train.mining to semihard or all, or start from a network trained "
                "with softmax (train.init)."
            )

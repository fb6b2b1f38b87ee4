"""Tell early, and in words, that a run is beyond hope."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from facenet.errors import EmbeddingCollapsed, TrainingDiverged

PATIENCE = 50  # steps in a row
NARROW = 1e-3  # spread of the embeddings, 0 to 1: squared distances are then far below any margin


def check_finite(value: float, what: str, *, step: int, rate: float, precision: str) -> None:
    """Raise TrainingDiverged, with the likely cause, unless `value` of a step, from 1, is finite."""
    if math.isfinite(value):
        return
    if step == 1:
        cause = "the first step fails, so the weights or the faces themselves are the cause: check train.init"
    elif precision == "fp16":
        cause = "fp16 overflows above 65504: set base.precision to bf16 or fp32"
    else:
        cause = f"the learning rate {rate:g} is too high: lower train.schedule.rate, or warm up for longer"
    raise TrainingDiverged(
        f"The {what} is {value} at step {step}, learning rate {rate:g}, {precision}. Most likely {cause}. "
        "The last checkpoint, from before it, is kept."
    )


def check_weights(tensors: Iterable[torch.Tensor], *, step: int, rate: float, precision: str) -> None:
    """Raise TrainingDiverged if any floating-point tensor has a value that is not finite."""
    for tensor in tensors:
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            check_finite(math.nan, "state of the network", step=step, rate=rate, precision=precision)


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

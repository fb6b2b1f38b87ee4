"""The learning rate as a pure function of the step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from facenet.errors import ParamsInvalid

STOP = -1.0


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The learning rate over a run of `epochs` epochs of `steps_per_epoch` steps.

    kind: `steps` reads the table; `cosine` climbs in a straight line to `rate`, then falls along half a
        cosine to zero (Loshchilov and Hutter 2017); `one_cycle` climbs along half a cosine too (Smith and
        Topin 2018).
    rate: the highest rate of cosine and one_cycle.
    warmup: the share of all steps, 0 to 1, that cosine and one_cycle climb.
    table: first epoch of a stretch, counted from 1, to its rate; the last row at or before an epoch holds, as
        in davidsandberg/facenet's files. -1 stops the run before that epoch.

    Raises:
        ParamsInvalid: the kind is unknown, or the table has no row for the first epoch, or a rate in it is
            neither positive nor -1.
    """

    kind: str
    rate: float
    warmup: float
    epochs: int
    steps_per_epoch: int
    table: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in ("steps", "cosine", "one_cycle"):
            raise ParamsInvalid(f"The schedule {self.kind!r} is unknown. Take steps, cosine or one_cycle.")
        if self.kind != "steps":
            return
        if not any(epoch <= 1 for epoch in self.table):
            raise ParamsInvalid("train.schedule.steps has no rate for epoch 1. Add a row 0: RATE.")
        wrong = {epoch: rate for epoch, rate in self.table.items() if rate <= 0 and rate != STOP}
        if wrong:
            raise ParamsInvalid(f"train.schedule.steps has rates that are neither positive nor -1: {wrong}.")

    @property
    def last_epoch(self) -> int:
        """The number of epochs that run: `epochs`, or fewer where the table stops."""
        if self.kind != "steps":
            return self.epochs
        stops = [max(0, epoch - 1) for epoch, rate in self.table.items() if rate == STOP]
        return min([self.epochs, *stops])

    def __call__(self, step: int) -> float | None:
        """Return the rate of `step`, counted from 0 over the whole run, or None where the run has stopped."""
        epoch = step // self.steps_per_epoch + 1
        if epoch > self.last_epoch:
            return None
        if self.kind == "steps":
            return self.table[max(first for first in self.table if first <= epoch)]
        # The middle of a step, so that neither the first nor the last one is wasted on a rate of zero.
        return self._curve((step + 0.5) / (self.epochs * self.steps_per_epoch))

    def _curve(self, progress: float) -> float:
        if progress < self.warmup:
            climb = progress / self.warmup
            return self.rate * (climb if self.kind == "cosine" else (1 - math.cos(math.pi * climb)) / 2)
        fall = (progress - self.warmup) / (1 - self.warmup)
        return self.rate * (1 + math.cos(math.pi * fall)) / 2

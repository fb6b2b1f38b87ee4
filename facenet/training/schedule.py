"""The learning rate, and with it the momentum, as a pure function of the step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from facenet.errors import ParamsInvalid

STOP = -1.0
KINDS = ("steps", "cosine", "one_cycle", "cyclical")
# Of the cyclical schedule: its lowest rate is a third of the highest and falls by 15 % from cycle to cycle,
# while the momentum goes the other way.
BASE_SHARE, BASE_DECAY = 1 / 3, 0.15
LOW_MOMENTUM, HIGH_MOMENTUM = 0.85, 0.95


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The learning rate over a run of `epochs` epochs of `steps_per_epoch` steps.

    kind: `steps` reads the table; `cosine` climbs in a straight line to `rate`, then falls along half a
        cosine to zero (Loshchilov and Hutter 2017); `one_cycle` climbs along half a cosine too (Smith and
        Topin 2018); `cyclical` climbs and falls in straight lines again and again (Smith 2017) as
        sthalles/face-similarity does: after each cycle half a half-cycle goes from its lowest rate to the
        next one's, 15 % below, and the momentum (beta1 of Adam) goes from .95 to .85 and back.
    rate: the highest rate of all kinds but steps.
    warmup: the share of all steps, 0 to 1, that cosine and one_cycle climb.
    half_cycle: epochs that a climb of cyclical takes.
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
    half_cycle: float = 2.0
    table: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParamsInvalid(f"The schedule {self.kind!r} is unknown. Take one of {', '.join(KINDS)}.")
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

    def point(self, epoch: int, number: int, batches: int) -> int:
        """Return the step of a run with `steps_per_epoch` steps an epoch that is as far on as this one.

        epoch: from 1. number: of the batch, from 0, of the `batches` that the epoch has, which may be fewer.
        """
        return (epoch - 1) * self.steps_per_epoch + number * self.steps_per_epoch // batches

    def __call__(self, step: int) -> float | None:
        """Return the rate of `step`, counted from 0 over the whole run, or None where the run has stopped."""
        epoch = step // self.steps_per_epoch + 1
        if epoch > self.last_epoch:
            return None
        if self.kind == "steps":
            return self.table[max(first for first in self.table if first <= epoch)]
        if self.kind == "cyclical":
            return self._cyclical(step)
        # The middle of a step, so that neither the first nor the last one is wasted on a rate of zero.
        return self._curve((step + 0.5) / (self.epochs * self.steps_per_epoch))

    def momentum(self, step: int) -> float | None:
        """Return the momentum of `step`, or None where the schedule leaves it to the optimiser."""
        if self.kind != "cyclical":
            return None
        _, height, tail = self._cycle(step)
        return HIGH_MOMENTUM - (0.0 if tail else height) * (HIGH_MOMENTUM - LOW_MOMENTUM)

    def _curve(self, progress: float) -> float:
        if progress < self.warmup:
            climb = progress / self.warmup
            return self.rate * (climb if self.kind == "cosine" else (1 - math.cos(math.pi * climb)) / 2)
        fall = (progress - self.warmup) / (1 - self.warmup)
        return self.rate * (1 + math.cos(math.pi * fall)) / 2

    def _cyclical(self, step: int) -> float:
        number, height, tail = self._cycle(step)
        base = self.rate * BASE_SHARE * (1 - BASE_DECAY) ** number
        return base * (1 - BASE_DECAY * tail) if tail else base + height * (self.rate - base)

    def _cycle(self, step: int) -> tuple[int, float, float]:
        """Return the cycle's number from 0, the height in its triangle and the share of its tail, 0 to 1.

        A step has the rate at its end: the first one is above the lowest rate, and the peak is reached.
        """
        half = max(1, round(self.half_cycle * self.steps_per_epoch))
        number, place = divmod(step, 2 * half + half // 2)
        done = place + 1
        if done > 2 * half:
            return number, 0.0, (done - 2 * half) / (half // 2)
        return number, min(done, 2 * half - done) / half, 0.0

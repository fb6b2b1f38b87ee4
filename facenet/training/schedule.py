"""The learning rate and the momentum as pure functions of the step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from facenet.errors import ParamsInvalid

STOP = -1.0
KINDS = ("steps", "cosine", "one_cycle", "cyclical")
# Of the cyclical schedule: its lowest lr is a third of the highest and falls by 15 % per cycle, while the
# momentum moves in the opposite direction.
BASE_SHARE, BASE_DECAY = 1 / 3, 0.15
LOW_MOMENTUM, HIGH_MOMENTUM = 0.85, 0.95


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The learning rate over a run of `epochs` epochs of `steps_per_epoch` steps.

    kind: `steps` uses the table; `cosine` rises linearly to `lr`, then falls to zero along half a cosine
        (Loshchilov and Hutter 2017); `one_cycle` also rises along half a cosine (Smith and Topin 2018);
        `cyclical` rises and falls linearly in cycles (Smith 2017), as in sthalles/face-similarity: after each
        cycle the lr falls, over half of a half-cycle, from its minimum to that of the next cycle, 15 % lower,
        and the momentum (beta1 of Adam) moves from .95 to .85 and back.
    lr: the highest learning rate of all kinds except steps.
    warmup: the fraction of all steps, 0 to 1, in which cosine and one_cycle rise.
    half_cycle: epochs of one rise of cyclical.
    table: from an epoch, counted from 1, to the lr that applies from then on, as in davidsandberg/facenet's
        files. -1 stops the run before that epoch.

    Raises:
        ParamsInvalid: the kind is unknown, or the table has no row for the first epoch, or a learning rate in
            it is neither positive nor -1.
    """

    kind: str
    lr: float
    warmup: float
    epochs: int
    steps_per_epoch: int
    half_cycle: float = 2.0
    table: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParamsInvalid(f"Unknown schedule {self.kind!r}. Use one of {', '.join(KINDS)}.")
        if self.kind != "steps":
            return
        if not any(epoch <= 1 for epoch in self.table):
            raise ParamsInvalid("train.schedule.steps has no learning rate for epoch 1. Add a row 0: LR.")
        wrong = {epoch: lr for epoch, lr in self.table.items() if lr <= 0 and lr != STOP}
        if wrong:
            raise ParamsInvalid(
                f"train.schedule.steps: learning rates must be positive, or -1 to stop, not {wrong}."
            )

    @property
    def last_epoch(self) -> int:
        """The number of epochs that run: `epochs`, or fewer where the table stops."""
        if self.kind != "steps":
            return self.epochs
        stops = [max(0, epoch - 1) for epoch, lr in self.table.items() if lr == STOP]
        return min([self.epochs, *stops])

    def point(self, epoch: int, number: int, batches: int) -> int:
        """Return the equivalent step of a run in which every epoch has `steps_per_epoch` steps.

        epoch: from 1. number: of the batch, from 0. batches: number of batches in this epoch.
        """
        return (epoch - 1) * self.steps_per_epoch + number * self.steps_per_epoch // batches

    def __call__(self, step: int) -> float | None:
        """Return the lr of `step`, counted from 0 over the whole run, or None after the last epoch."""
        epoch = step // self.steps_per_epoch + 1
        if epoch > self.last_epoch:
            return None
        if self.kind == "steps":
            return self.table[max(first for first in self.table if first <= epoch)]
        if self.kind == "cyclical":
            return self._cyclical(step)
        # At the middle of a step, so that neither the first nor the last step has a learning rate of zero.
        return self._curve((step + 0.5) / (self.epochs * self.steps_per_epoch))

    def momentum(self, step: int) -> float | None:
        """Return the momentum of `step`, or None if the schedule does not set it."""
        if self.kind != "cyclical":
            return None
        _, height, tail = self._cycle(step)
        return HIGH_MOMENTUM - (0.0 if tail else height) * (HIGH_MOMENTUM - LOW_MOMENTUM)

    def _curve(self, progress: float) -> float:
        if progress < self.warmup:
            rise = progress / self.warmup
            return self.lr * (rise if self.kind == "cosine" else (1 - math.cos(math.pi * rise)) / 2)
        fall = (progress - self.warmup) / (1 - self.warmup)
        return self.lr * (1 + math.cos(math.pi * fall)) / 2

    def _cyclical(self, step: int) -> float:
        number, height, tail = self._cycle(step)
        base = self.lr * BASE_SHARE * (1 - BASE_DECAY) ** number
        return base * (1 - BASE_DECAY * tail) if tail else base + height * (self.lr - base)

    def _cycle(self, step: int) -> tuple[int, float, float]:
        """Return the cycle's number from 0, the height in its triangle and the progress in its tail, 0 to 1.

        A step has the lr at its end: the first one is above the minimum, and the peak is reached.
        """
        half = max(1, round(self.half_cycle * self.steps_per_epoch))
        number, place = divmod(step, 2 * half + half // 2)
        done = place + 1
        if done > 2 * half:
            return number, 0.0, (done - 2 * half) / (half // 2)
        return number, min(done, 2 * half - done) / half, 0.0

"""Reports of the training loop on steps and epochs."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """One step.

    step: number in the whole run, from 1.
    epoch, batch: both from 1. batches: number of batches in the epoch.
    metrics: those of the loss, and `gradient_norm`.
    """

    step: int
    epoch: int
    batch: int
    batches: int
    images: int
    loss: float
    lr: float
    seconds: float
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """One epoch.

    steps: 0 if mining found no triplet.
    loss, metrics: means over the steps, ignoring values that are not finite (no triplet). NaN without steps.
    lr: learning rate of the last step.
    inactive_steps: steps without an active triplet, which do not change the weights.
    seconds: of the steps, without validation and checkpoints.
    validation: see `PairValidation` and `ClassValidation`. evaluation: see `PairEvaluation`. Empty if none
        was due.
    losses: of each step.
    """

    epoch: int
    steps: int
    images: int
    loss: float
    lr: float
    inactive_steps: int
    seconds: float
    metrics: dict[str, float]
    validation: dict[str, float]
    evaluation: dict[str, float] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    @property
    def validation_accuracy(self) -> float:
        """The accuracy that selects the best checkpoint: on pairs, or of the classification without any."""
        return self.validation.get("accuracy", self.validation.get("classification_accuracy", 0.0))

    @property
    def images_per_second(self) -> float:
        """Training throughput over the steps."""
        return self.images / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as numbers and dicts, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Return the report that `to_dict` wrote."""
        return cls(**fields)


@dataclass
class EpochTotals:
    """Running sums of an unfinished epoch, saved in checkpoints."""

    steps: int = 0
    images: int = 0
    inactive_steps: int = 0
    seconds: float = 0.0
    lr: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    def add(self, report: StepReport) -> None:
        """Add one step."""
        self.steps += 1
        self.images += report.images
        self.seconds += report.seconds
        self.lr = report.lr
        self.losses.append(report.loss)
        self.inactive_steps += 0 in (report.metrics.get("active_share"), report.metrics.get("candidates"))
        for name, value in {"loss": report.loss, **report.metrics}.items():
            if math.isfinite(value):
                self.sums[name] = self.sums.get(name, 0.0) + value
                self.counts[name] = self.counts.get(name, 0) + 1

    def report(self, epoch: int, validation: dict[str, float], evaluation: dict[str, float]) -> EpochReport:
        """Return the means as the report of `epoch`."""
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        return EpochReport(
            epoch=epoch,
            steps=self.steps,
            images=self.images,
            loss=means.pop("loss", math.nan),
            lr=self.lr,
            inactive_steps=self.inactive_steps,
            seconds=self.seconds,
            metrics=means,
            validation=validation,
            evaluation=evaluation,
            losses=self.losses,
        )

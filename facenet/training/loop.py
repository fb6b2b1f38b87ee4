"""The training loop: it yields reports and can stop and go on after any step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from facenet import networks
from facenet.training.checkpoint import Checkpoints
from facenet.training.data import Loader
from facenet.training.health import CollapseWatch, check_finite, check_weights
from facenet.training.reports import EpochReport, EpochTotals, StepReport
from facenet.training.schedule import Schedule

ACCELERATE_PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}


class TrainingInterrupted(Exception):
    """The run was asked to stop; its last checkpoint holds the step it stopped after."""


class Objective(nn.Module):
    """Network and loss as one module, so that precision and processes wrap one forward call."""

    def __init__(self, network: nn.Module, loss: nn.Module) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float | Tensor]]:
        """Return the loss and its figures for standardised images (N, 3, S, S) and labels (N,) int64."""
        output = self.loss(self.network(images), labels)
        return output.value, output.figures


@dataclass(kw_only=True)
class Trainer:
    """One training run.

    Args:
        network, loss: trained together; `loss(prelogits, labels)` gives `.value` and `.figures`.
        optimizer: over the parameters of both.
        schedule: the learning rate, and when to stop.
        loader: batches of uint8 faces and labels.
        validate: figures of the network after each epoch; by `accuracy` the best checkpoint is told.
        checkpoints: where the run is kept, or None for not at all.
        checkpoint_seconds: time between checkpoints inside an epoch.
        on_step: told of each step.
        should_stop: asked after each step.
        seed: of dropout and other draws; each step seeds the global generator with it and its own number, so
            that a resumed run draws what it would have drawn.

    `resumed` tells whether it goes on from a checkpoint, `saved_threads` how many CPU threads that was made
    with: sums over another number of parts differ in their last bits.
    """

    network: nn.Module
    loss: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    loader: Loader
    device: torch.device
    precision: str
    seed: int
    validate: Callable[[nn.Module], dict[str, float]] = field(default=lambda _network: {})
    checkpoints: Checkpoints | None = None
    checkpoint_seconds: float = 300.0
    on_step: Callable[[StepReport], None] = field(default=lambda _report: None)
    should_stop: Callable[[], bool] = field(default=lambda: False)
    history: list[EpochReport] = field(default_factory=list, init=False)
    step: int = field(default=0, init=False)
    resumed: bool = field(default=False, init=False)
    saved_threads: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._totals, self._watch = EpochTotals(), CollapseWatch()
        self._rate, self._saved = 0.0, time.monotonic()
        # Accelerate keeps the precision of a process's first run and would refuse another one.
        AcceleratorState._reset_state()
        self._accelerator = Accelerator(
            mixed_precision=ACCELERATE_PRECISIONS[self.precision], cpu=self.device.type == "cpu"
        )
        if self.device.index is not None:
            torch.cuda.set_device(self.device)
        objective = Objective(self.network, self.loss).to(self.device)
        convert_conv2d_weight_memory_format(objective, torch.channels_last)
        self._objective, self._prepared = self._accelerator.prepare(objective, self.optimizer)
        state = self.checkpoints.load() if self.checkpoints else None
        if state is not None:
            self._restore(state)

    def run(self) -> Iterator[EpochReport]:
        """Yield a report after each epoch that is still to be done; `history` has the earlier ones too.

        Raises:
            TrainingDiverged: loss, gradient or weights are not finite.
            EmbeddingCollapsed: all embeddings are one.
            TrainingInterrupted: `should_stop` said so.
        """
        while len(self.history) < self.schedule.last_epoch:
            yield self._epoch(len(self.history) + 1)

    def _epoch(self, epoch: int) -> EpochReport:
        self._objective.train()
        start = time.perf_counter()
        for batch in self.loader.epoch(epoch, self._totals.steps):
            self._step(*batch, epoch=epoch, start=start)
            self._pause()
            start = time.perf_counter()
        report = self._totals.report(epoch, self.validate(self.network))
        accuracies = [r.validation["accuracy"] for r in (*self.history, report) if r.validation]
        self.history.append(report)
        self._totals = EpochTotals()
        self._save(best=bool(accuracies) and accuracies[-1] > max(accuracies[:-1], default=-1.0))
        return report

    def _step(self, faces: Tensor, labels: Tensor, *, epoch: int, start: float) -> None:
        rate = self.schedule(self.step)
        assert rate is not None, "an epoch within last_epoch has a rate"
        self.step += 1
        torch.manual_seed(int(np.random.SeedSequence([self.seed, self.step]).generate_state(1)[0]))
        self._rate = rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        images = networks.standardise(faces.to(self.device, non_blocking=True))
        value, figures = self._objective(images, labels.to(self.device, non_blocking=True))
        loss = value.item()
        self._check(loss, "loss", rate)
        self._prepared.zero_grad(set_to_none=True)
        self._accelerator.backward(value)
        norm = self._gradient_norm()
        if self._accelerator.scaler is None:  # with one, a step that overflows is left out
            self._check(norm, "gradient", rate)
        self._prepared.step()
        self._report(epoch, len(labels), loss, rate, {**_numbers(figures), "gradient_norm": norm}, start)

    def _report(
        self, epoch: int, images: int, loss: float, rate: float, figures: dict[str, float], start: float
    ) -> None:
        report = StepReport(
            step=self.step,
            epoch=epoch,
            batch=self._totals.steps + 1,
            batches=len(self.loader),
            images=images,
            loss=loss,
            rate=rate,
            seconds=time.perf_counter() - start,
            figures=figures,
        )
        self._totals.add(report)
        self._watch.look(loss, figures.get("spread"))
        self.on_step(report)

    def _gradient_norm(self) -> float:
        self._accelerator.unscale_gradients()
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        return float(torch.nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None))

    def _check(self, value: float, what: str, rate: float) -> None:
        check_finite(value, what, step=self.step, rate=rate, precision=self.precision)

    def _pause(self) -> None:
        """Save if it is time to, and leave if asked to."""
        stop = self.should_stop()
        if stop or time.monotonic() - self._saved >= self.checkpoint_seconds:
            self._save(best=False)
        if stop:
            raise TrainingInterrupted(f"Stopped after step {self.step}.")

    def _save(self, *, best: bool) -> None:
        if self.checkpoints is None:
            return
        objective = self._accelerator.unwrap_model(self._objective)
        state = objective.state_dict()
        check_weights(state.values(), step=self.step, rate=self._rate, precision=self.precision)
        scaler = self._accelerator.scaler
        self.checkpoints.save(
            {
                "objective": state,
                "optimizer": self.optimizer.state_dict(),
                "scaler": scaler.state_dict() if scaler else {},
                "step": self.step,
                "threads": torch.get_num_threads(),
                "totals": asdict(self._totals),
                "collapsed_steps": self._watch.steps,
                "history": [report.to_dict() for report in self.history],
            },
            best=best,
        )
        self._saved = time.monotonic()

    def _restore(self, state: dict[str, Any]) -> None:
        self._accelerator.unwrap_model(self._objective).load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self._accelerator.scaler:
            self._accelerator.scaler.load_state_dict(state["scaler"])
        self.step, self._watch.steps = state["step"], state["collapsed_steps"]
        self._totals = EpochTotals(**state["totals"])
        self.history = [EpochReport.from_dict(fields) for fields in state["history"]]
        self.resumed, self.saved_threads = True, state["threads"]


def _numbers(figures: dict[str, float | Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in figures.items()}

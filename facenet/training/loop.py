"""The training loop: yields reports, and can stop and resume after any step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facenet.errors import EmbeddingCollapsed, TrainingDiverged, WeightsInvalid
from facenet.training.checkpoint import Checkpoints
from facenet.training.data import BatchIndex, Loader
from facenet.training.health import CollapseWatch, Moment, check_weights
from facenet.training.mining import Mining
from facenet.training.optimizers import set_lr
from facenet.training.reports import EpochReport, EpochTotals, StepReport
from facenet.training.schedule import Schedule
from facenet.training.update import Update, UpdateOptions


class TrainingInterrupted(Exception):
    """The run was stopped on request; its last checkpoint includes the last completed step."""


@dataclass(kw_only=True)
class Trainer:
    """One training run.

    Args:
        network, loss, optimizer, device, precision, seed, options: see `Update`.
        schedule: the learning rate, and the last epoch.
        loader: batches of uint8 faces and labels.
        mining: mines the triplets of an epoch before it starts, into the plan of the loader.
        validate: metrics of the model after an epoch; see `select`.
        select: last, the model is that of the last epoch; best, that of the first epoch with the highest
            validation accuracy (see EpochReport), which needs checkpoints.
        evaluate: further metrics of the model after an epoch, for information only.
        validate_every, evaluate_every: interval in epochs; the last epoch is always included. 0: never.
        checkpoints: where to save the run, or None; only the main process writes.
        checkpoint_seconds: time between checkpoints within an epoch.
        on_step: called with the report of each step.
        should_stop: called after each step; all processes stop if any of them is to stop.

    `resumed` is whether the run continues from a checkpoint, and `saved_threads` the number of CPU threads
    that wrote it: with a different number, sums are rounded differently in the last bits.
    """

    network: nn.Module
    loss: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    loader: Loader
    device: torch.device
    precision: str
    seed: int
    options: UpdateOptions = field(default_factory=UpdateOptions)
    mining: Mining | None = None
    validate: Callable[[nn.Module], dict[str, float]] = field(default=lambda _network: {})
    validate_every: int = 1
    select: str = "last"
    evaluate: Callable[[nn.Module], dict[str, float]] = field(default=lambda _network: {})
    evaluate_every: int = 0
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
        self._lr, self._saved = 0.0, time.monotonic()
        self._batches, self._place = 0, BatchIndex(0, 0, np.empty(0, np.int64))
        division = self.loader.dataset.division
        self._processes = division.processes
        self._update = Update(
            network=self.network,
            loss=self.loss,
            optimizer=self.optimizer,
            division=division,
            device=self.device,
            precision=self.precision,
            seed=self.seed,
            options=self.options,
        )
        state = self.checkpoints.load() if self.checkpoints else None
        if state is not None:
            self._restore(state)

    @property
    def model(self) -> nn.Module:
        """The module to evaluate and save: the network, or its moving average if there is one."""
        return self._update.model

    def run(self) -> Iterator[EpochReport]:
        """Train the remaining epochs and yield a report after each; `history` includes earlier epochs.

        Raises:
            TrainingDiverged: loss, gradient or weights are not finite; the batch is saved.
            EmbeddingCollapsed: all embeddings are equal; the batch is saved too.
            NoTriplets: mining finds no more triplets to train on.
            TrainingInterrupted: `should_stop` returned true.
        """
        while len(self.history) < self.schedule.last_epoch:
            try:
                report = self._epoch(len(self.history) + 1)
            except (TrainingDiverged, EmbeddingCollapsed) as error:
                raise type(error)(f"{error}{self._save_batch()}") from error
            yield report

    def select_model(self) -> int:
        """Make `model` that of the selected epoch, after `run`, and return the epoch; 0 without any.

        Only the main process has the checkpoints; its model is the one to save.

        Raises:
            WeightsInvalid: the best checkpoint is missing or damaged.
        """
        if self.checkpoints is None or self.select == "last" or not self.history:
            return len(self.history)
        state = self.checkpoints.load(best=True)
        if state is None:
            folder = self.checkpoints.folder
            raise WeightsInvalid(f"The best checkpoint is missing. Remove {folder} and train again.")
        self._update.restore(state)
        return len(state["history"])

    def _epoch(self, epoch: int) -> EpochReport:
        if self.mining:
            self.mining(epoch, self.network, self._update.train)
        self._update.train()
        places = self.loader.batch_indices(epoch)
        self._batches, places = len(places), places[self._totals.steps :]
        start = time.perf_counter()
        for place, (faces, labels) in zip(places, self.loader.load(places), strict=True):
            self._place = place
            self._step(faces, labels, start)
            self._pause()
            start = time.perf_counter()
        return self._finish(epoch)

    def _finish(self, epoch: int) -> EpochReport:
        validation = self.validate(self.model) if self._due(epoch, self.validate_every) else {}
        evaluation = self.evaluate(self.model) if self._due(epoch, self.evaluate_every) else {}
        report = self._totals.report(epoch, validation, evaluation)
        if self.mining:
            report = replace(report, metrics={**report.metrics, **self.mining.metrics})
        accuracies = [r.validation_accuracy for r in (*self.history, report) if r.validation]
        self.history.append(report)
        self._totals = EpochTotals()
        best = bool(report.validation) and accuracies[-1] > max(accuracies[:-1], default=-1.0)
        self._save(best=best and self.select == "best")
        return report

    def _due(self, epoch: int, every: int) -> bool:
        return every > 0 and (epoch % every == 0 or epoch == self.schedule.last_epoch)

    def _step(self, faces: Tensor, labels: Tensor, start: float) -> None:
        epoch, number, _ = self._place
        point = self.schedule.point(epoch, number, self._batches)
        lr = self.schedule(point)
        assert lr is not None, "every epoch up to last_epoch has a learning rate"
        set_lr(self.optimizer, lr, self.schedule.momentum(point))
        self.step += 1
        self._lr = lr
        loss, metrics = self._update(faces, labels, self._moment())
        report = StepReport(
            step=self.step,
            epoch=epoch,
            batch=number + 1,
            batches=self._batches,
            images=len(labels),
            loss=loss,
            lr=lr,
            seconds=time.perf_counter() - start,
            metrics=metrics,
        )
        self._totals.add(report)
        self._watch.check(loss, metrics.get("spread"))
        self.on_step(report)

    def _moment(self) -> Moment:
        return Moment(step=self.step, lr=self._lr, precision=self.precision)

    def _pause(self) -> None:
        """Save a checkpoint if one is due, and stop if requested."""
        due = time.monotonic() - self._saved >= self.checkpoint_seconds
        stop, save = self._processes.any(self.should_stop(), due)
        if stop or save:
            self._save(best=False)
        if stop:
            raise TrainingInterrupted(f"Stopped after step {self.step}.")

    def _save(self, *, best: bool) -> None:
        if self.checkpoints is None:
            return
        state = self._update.state()
        check_weights([*state["objective"].values(), *state["average"].values()], self._moment())
        if self._processes.main:
            run = {
                "step": self.step,
                "threads": torch.get_num_threads(),
                "totals": asdict(self._totals),
                "collapsed_steps": self._watch.steps,
                "mining": self.mining.state() if self.mining else {},
                "history": [report.to_dict() for report in self.history],
            }
            self.checkpoints.save({**state, **run}, best=best)
        self._saved = time.monotonic()

    def _save_batch(self) -> str:
        """Save the current batch, and return a sentence naming the file."""
        if self.checkpoints is None:
            return ""
        path = self.checkpoints.batch
        if self._processes.main:
            self.checkpoints.save_batch(*self.loader.dataset.whole(self._place), step=self.step)
        return f" The batch was saved to {path} (faces, labels, step)."

    def _restore(self, state: dict[str, Any]) -> None:
        self._update.restore(state)
        self.step, self._watch.steps = state["step"], state["collapsed_steps"]
        self._totals = EpochTotals(**state["totals"])
        self.history = [EpochReport.from_dict(fields) for fields in state["history"]]
        if self.mining:
            self.mining.restore(state["mining"])
        self.resumed, self.saved_threads = True, state["threads"]

"""Send the reports of the loop to the progress bar and the MLflow run."""

import math
import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from facenet.training import EpochReport, StepReport
from tasks.tracking.system import MetricLog

LOG_EVERY = 10  # steps
LOG_SECONDS = 15.0  # between updates of the bar if it is written to a log


class Recorder:
    """Shows a progress bar over all steps, and logs metrics of every tenth step and each epoch to `run`."""

    def __init__(self, run: MetricLog, *, steps: int, done: int, epochs: int) -> None:
        self._run, self._epochs, self._steps = run, epochs, steps
        self._mined: tqdm[None] | None = None
        interval = 1.0 if sys.stderr.isatty() else LOG_SECONDS
        self._bar = tqdm(
            total=steps, initial=done, desc="train", unit="step", mininterval=interval, maxinterval=interval
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def step(self, report: StepReport) -> None:
        """Update the bar; log every tenth step."""
        speed = report.images / report.seconds
        text = f"loss {report.loss:.3f}, lr {report.lr:.2e}, {speed:.0f} images/s"
        self._bar.set_postfix_str(text, refresh=False)
        # Epochs of mined triplets vary in length, so the bar shows the fraction of the run that is done.
        done = (report.epoch - 1 + report.batch / report.batches) * self._steps / self._epochs
        self._bar.update(round(done) - self._bar.n)
        if report.step % LOG_EVERY == 0:
            metrics = {"loss": report.loss, "lr": report.lr, "images_per_second": speed, **report.metrics}
            self._run.log_metrics({f"step/{name}": value for name, value in metrics.items()}, report.step)

    def faces(self, done: int, total: int) -> None:
        """Update the bar of the faces embedded for mining; it closes when all are done."""
        if self._mined is None:
            self._mined = tqdm(total=total, desc="mine", unit="face", mininterval=1.0, leave=False)
        self._mined.update(done - self._mined.n)
        if done == total:
            self._mined.close()
            self._mined = None

    def epoch(self, report: EpochReport) -> None:
        """Print one line about the epoch and log its metrics."""
        parts = [f"loss {report.loss:.4f}"] if report.steps else []
        if "accuracy" in report.validation:
            parts.append(f"validation accuracy {report.validation['accuracy']:.4f}")
        if "classification_accuracy" in report.validation:
            parts.append(f"classification accuracy {report.validation['classification_accuracy']:.4f}")
        if "accuracy" in report.evaluation:
            parts.append(f"evaluation accuracy {report.evaluation['accuracy']:.4f}")
        if report.steps:
            parts.append(f"{report.images_per_second:.1f} images/s")
        if "mined_triplets" in report.metrics:
            parts.append(f"{report.metrics['mined_triplets']:,.0f} triplets mined")
        if report.inactive_steps:
            parts.append(f"{report.inactive_steps} steps without an active triplet")
        self._bar.write(f"epoch {report.epoch}/{self._epochs}: {', '.join(parts)}", file=sys.stderr)
        metrics = {
            "loss": report.loss,
            "lr": report.lr,
            "images_per_second": report.images_per_second,
            "inactive_steps": report.inactive_steps,
            **report.metrics,
        }
        finite = {f"epoch/{name}": value for name, value in metrics.items() if math.isfinite(value)}
        self._run.log_metrics(finite, report.epoch)
        # evaluation/... is used by stage evaluate for the final model.
        for kind, metrics in (("validation", report.validation), ("evaluation_pairs", report.evaluation)):
            if metrics:
                self._run.log_metrics({f"{kind}/{name}": v for name, v in metrics.items()}, report.epoch)

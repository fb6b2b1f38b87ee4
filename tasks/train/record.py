"""Where the reports of the loop go: the progress bar and the MLflow run."""

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from facenet.training import EpochReport, StepReport
from tasks.tracking import Run

LOG_EVERY = 10  # steps; a request to MLflow costs some 10 ms
LOG_SECONDS = 15.0  # between lines of the bar where it is written to a log


class Recorder:
    """A progress bar over all steps, and metrics of every tenth step and each epoch on `run`."""

    def __init__(self, run: Run, *, steps: int, done: int, epochs: int) -> None:
        self._run, self._epochs = run, epochs
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
        """Move the bar on; log every tenth step."""
        speed = report.images / report.seconds
        text = f"loss {report.loss:.3f}, lr {report.rate:.2e}, {speed:.0f} images/s"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update()
        if report.step % LOG_EVERY == 0:
            figures = {"loss": report.loss, "lr": report.rate, "images_per_second": speed, **report.figures}
            self._run.log_metrics({f"step/{name}": value for name, value in figures.items()}, report.step)

    def epoch(self, report: EpochReport) -> None:
        """Write one line about the epoch and log its figures."""
        accuracy = report.validation.get("accuracy")
        validation = f", validation accuracy {accuracy:.4f}" if accuracy is not None else ""
        speed = f"{report.images_per_second:.1f} images/s"
        inactive = f", {report.inactive_steps} steps without an active triplet" * bool(report.inactive_steps)
        self._bar.write(
            f"epoch {report.epoch}/{self._epochs}: loss {report.loss:.4f}{validation}, {speed}{inactive}",
            file=sys.stderr,
        )
        figures = {
            "loss": report.loss,
            "lr": report.rate,
            "images_per_second": report.images_per_second,
            "inactive_steps": report.inactive_steps,
            **report.figures,
        }
        self._run.log_metrics({f"epoch/{name}": value for name, value in figures.items()}, report.epoch)
        if report.validation:
            figures = {f"validation/{name}": value for name, value in report.validation.items()}
            self._run.log_metrics(figures, report.epoch)

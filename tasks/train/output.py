"""The outputs of the stage besides the model: history as CSV and plot, metrics of the report."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facenet.atomic import atomic_path, write_text
from facenet.training import EpochReport

FIRST_COLUMNS = ("epoch", "loss", "lr", "images_per_second", "validation_accuracy")


def history_rows(history: Sequence[EpochReport]) -> list[dict[str, float]]:
    """Return one flat row of numbers per epoch.

    Metrics of the loss are named train_*, those on pairs validation_* and evaluation_*.
    """
    return [
        {
            "epoch": report.epoch,
            "loss": report.loss,
            "lr": report.lr,
            "images_per_second": round(report.images_per_second, 1),
            "inactive_steps": report.inactive_steps,
            **{f"train_{name}": value for name, value in report.metrics.items()},
            **{f"validation_{name}": value for name, value in report.validation.items()},
            **{f"evaluation_{name}": value for name, value in report.evaluation.items()},
        }
        for report in history
    ]


def write_history(path: Path, history: Sequence[EpochReport]) -> None:
    """Write the rows as CSV with six significant digits; missing metrics are empty."""
    rows = history_rows(history)
    columns = list(dict.fromkeys([*FIRST_COLUMNS, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: f"{value:.6g}" for name, value in row.items() if math.isfinite(value)})
    write_text(path, text.getvalue())


def draw_history(path: Path, history: Sequence[EpochReport]) -> None:
    """Plot loss and accuracy, on validation and evaluation pairs, per epoch as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [report.epoch for report in history]
    left.plot(epochs, [report.loss for report in history], marker=".", color="tab:blue")
    left.set_title("Training loss")
    validated = [(r.epoch, r.validation["accuracy"]) for r in history if r.validation]
    evaluated = [(r.epoch, r.evaluation["accuracy"]) for r in history if r.evaluation]
    for name, color, points in (("validation", "orange", validated), ("evaluation", "green", evaluated)):
        if points:
            right.plot(*zip(*points, strict=True), marker=".", color=f"tab:{color}", label=f"{name} pairs")
            right.legend()
    right.set_title("Accuracy" if validated or evaluated else "No validation pairs")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(temporary, metadata={"Software": None})


def final_metrics(history: Sequence[EpochReport]) -> dict[str, Any]:
    """Return the metrics of reports/train.json: totals over the epochs, and the last epoch's metrics.

    Loss and metrics of the loss are those of the last epoch with a step.
    """
    seconds = sum(report.seconds for report in history)
    images = sum(report.images for report in history)
    last = history[-1] if history else None
    trained = next((report for report in reversed(history) if report.steps), None)
    return {
        "epochs": len(history),
        "steps": sum(report.steps for report in history),
        "images_per_second": round(images / seconds, 1) if seconds else 0.0,
        "minutes": round(seconds / 60, 2),
        "loss": trained.loss if trained else None,
        "figures": trained.metrics if trained else {},
        "validation": last.validation if last else {},
        "evaluation": last.evaluation if last else {},
        "inactive_steps": sum(report.inactive_steps for report in history),
        "inactive_epochs": sum(report.inactive_steps == report.steps for report in history),
        "epochs_without_triplets": sum(report.steps == 0 for report in history),
    }

"""The outputs of the stage besides the model: history as CSV and plot, metrics of the report."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facenet.atomic import atomic_path, write_text
from facenet.training import EpochReport
from tasks.train.classified import Classified

FIRST_COLUMNS = ("epoch", "loss", "lr", "images_per_second", "validation_accuracy")
SMOOTHED = 500  # steps, of the plot of the training loss
EVALUATIONS = 10  # the last ones, whose mean is reported
Floats = npt.NDArray[np.float64]


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


def draw_history(path: Path, history: Sequence[EpochReport], confused: Classified | None = None) -> None:
    """Plot losses and accuracies of training, validation and evaluation per epoch as PNG.

    confused: adds the confusion matrix of the most confused people.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    matrix = confused is not None and len(confused.names) > 0
    figure = Figure(figsize=(14 if matrix else 9, 4), layout="constrained")
    left, right, *third = figure.subplots(1, 3 if matrix else 2)
    places, means = smoothed_losses(history)
    left.plot(places, means, color="tab:blue", label=f"training, mean of {SMOOTHED} steps")
    _curve(left, history, "validation", "cross_entropy", "validation", "tab:orange")
    left.set_title("Loss")
    _curve(right, history, "validation", "accuracy", "validation pairs", "tab:orange")
    _curve(right, history, "validation", "classification_accuracy", "validation images", "tab:red")
    _curve(right, history, "evaluation", "accuracy", "evaluation pairs", "tab:green")
    right.set_title("Accuracy" if right.lines else "No validation pairs")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if axes.lines:
            axes.legend()
    if confused and third:
        _draw_confusion(third[0], confused)
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(temporary, metadata={"Software": None})


def _draw_confusion(axes: Any, confused: Classified) -> None:
    matrix, names = confused.result.confusion, [name[:20] for name in confused.names]
    axes.imshow(matrix, cmap="Blues")
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            axes.text(column, row, str(count), ha="center", va="center", fontsize=7)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xlabel("predicted")
    axes.set_title("Most confused people, validation images")


def smoothed_losses(history: Sequence[EpochReport]) -> tuple[Floats, Floats]:
    """Return for each step its place, in epochs, and the mean loss of the last 500 steps, both (S,).

    The first steps average what there is. Losses that are not finite (no triplet) are ignored; the mean of
    none is NaN.
    """
    counts = [len(report.losses) for report in history]
    places = [np.arange(1, count + 1) / max(count, 1) for count in counts]
    losses = np.array([loss for report in history for loss in report.losses], np.float64)
    finite = np.isfinite(losses)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, losses, 0.0))])
    seen = np.concatenate([[0], np.cumsum(finite)])
    ends = np.arange(1, len(losses) + 1)
    starts = np.maximum(ends - SMOOTHED, 0)
    total = seen[ends] - seen[starts]
    means = np.where(total > 0, (sums[ends] - sums[starts]) / np.maximum(total, 1), np.nan)
    return np.concatenate([np.empty(0), *(number + place for number, place in enumerate(places))]), means


def _curve(axes: Any, history: Sequence[EpochReport], kind: str, metric: str, label: str, color: str) -> None:
    """Plot a metric of validation or evaluation over the epochs that have it, if any."""
    points = [(r.epoch, getattr(r, kind)[metric]) for r in history if metric in getattr(r, kind)]
    if points:
        axes.plot(*zip(*points, strict=True), marker=".", color=color, label=label)


def selection(history: Sequence[EpochReport], epoch: int, rule: str) -> dict[str, Any]:
    """Return for model card and report which epoch the model is of, and why.

    epoch: of the model, from 1; 0 if nothing was trained. rule: train.select.
    """
    if not history:
        reason = "no epoch was trained"
    elif rule == "last":
        reason = "the last epoch"
    else:
        validated = [report for report in history if report.validation]
        accuracy = history[epoch - 1].validation_accuracy
        reason = f"the highest validation accuracy of {len(validated)} epochs, {accuracy:.4f}"
    return {"rule": rule, "epoch": epoch, "epochs": len(history), "reason": reason}


def final_metrics(history: Sequence[EpochReport], epoch: int | None = None) -> dict[str, Any]:
    """Return the metrics of reports/train.json: totals over the epochs, and those of the model.

    epoch: of the model, from 1; by default the last. Loss and metrics of the loss are those of the last epoch
    up to it that had a step.
    """
    seconds = sum(report.seconds for report in history)
    images = sum(report.images for report in history)
    epoch = len(history) if epoch is None else epoch
    model = history[epoch - 1] if history else None
    trained = next((report for report in reversed(history[:epoch]) if report.steps), None)
    return {
        "epochs": len(history),
        "steps": sum(report.steps for report in history),
        "images_per_second": round(images / seconds, 1) if seconds else 0.0,
        "minutes": round(seconds / 60, 2),
        "loss": trained.loss if trained else None,
        "figures": trained.metrics if trained else {},
        "validation": model.validation if model else {},
        "evaluation": model.evaluation if model else {},
        **_last_evaluations(history),
        "inactive_steps": sum(report.inactive_steps for report in history),
        "inactive_epochs": sum(report.inactive_steps == report.steps for report in history),
        "epochs_without_triplets": sum(report.steps == 0 for report in history),
    }


def _last_evaluations(history: Sequence[EpochReport]) -> dict[str, Any]:
    """Return the mean of the last ten evaluations, as davidsandberg/facenet reports it; none, nothing."""
    last = [report.evaluation for report in history if report.evaluation][-EVALUATIONS:]
    names = [name for name in last[-1] if all(name in one for one in last)] if last else []
    means = {name: sum(one[name] for one in last) / len(last) for name in names}
    return {"evaluation_mean": {"evaluations": len(last), **means}} if last else {}

"""Curves of the report: ROC, DET, reliability and training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from scipy.special import ndtri

from tasks.report.formatting import percent
from tasks.report.inputs import Metrics, Row, number
from tasks.report.svg import INK, MUTED, ONE, TWO, chart

TICKS = (0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8)  # on both axes of the DET plot
TRAINING = (
    ("loss", "Loss", "Mean loss by epoch"),
    ("validation_accuracy", "Validation accuracy", "Accuracy on pairs of held-out people"),
    ("lr", "Learning rate", "Learning rate at the end of each epoch"),
)


def roc(rows: Sequence[Row], points: Sequence[Row], evaluation: Metrics, negatives: int) -> Markup:
    """Return the ROC with a logarithmic FAR axis, the supported operating points and their intervals."""
    far, tpr = _columns(rows, "far", "tpr")
    lowest = 1 / max(2, negatives)
    seen = [point for point in points if point["supported"] == "true"]
    bottom = min([*tpr[far >= lowest].tolist(), *(number(point["val_low"]) for point in seen), 0.98])

    def draw(axes: Any) -> None:
        axes.step(np.maximum(far, lowest), tpr, where="post", color=ONE)
        if seen:
            at, val, low, high = _columns(seen, "far", "val", "val_low", "val_high")
            bars = [np.maximum(0, val - low), np.maximum(0, high - val)]
            axes.errorbar(at, val, yerr=bars, fmt="o", color=TWO, capsize=3)
        axes.set(xscale="log", xlim=(lowest, 1), ylim=(max(0.0, 1.1 * bottom - 0.1), 1.02 - 0.02 * bottom))
        axes.set(xlabel="false accept rate (FAR)", ylabel="true accept rate (VAL)")
        axes.xaxis.set_major_formatter(lambda value, _: percent(value, 4))
        axes.yaxis.set_major_formatter(lambda value, _: percent(value, 1))

    vals = [f"VAL {percent(number(p['val']))} at FAR {percent(number(p['far']))}" for p in seen]
    metrics = [f"AUC {evaluation['auc']:.4f}", f"EER {percent(evaluation['eer'])}", *vals]
    return chart(
        draw,
        name="roc",
        title="ROC: true accept rate against false accept rate",
        description=f"{', '.join(metrics)}.",
    )


def det(rows: Sequence[Row], evaluation: Metrics, positives: int, negatives: int) -> Markup:
    """Return the DET curve: false rejects against false accepts, on normal-deviate axes (Martin, 1997).

    A rate of zero is drawn as half a pair, since these axes have no zero.
    """
    far, tpr = _columns(rows, "far", "tpr")
    half = 0.5 / max(1, negatives), 0.5 / max(1, positives)
    x, y = (ndtri(np.clip(rate, low, 1 - low)) for rate, low in zip((far, 1 - tpr), half, strict=True))
    eer = min(max(evaluation["eer"], max(half)), 0.5)

    def draw(axes: Any) -> None:
        axes.plot(x, y, color=ONE)
        axes.plot(ndtri([0.00005, 0.8]), ndtri([0.00005, 0.8]), ":", color=MUTED)
        axes.plot([ndtri(eer)], [ndtri(eer)], "o", color=TWO)
        offset = {"xytext": (12, 2), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"EER {percent(evaluation['eer'])}", (ndtri(eer), ndtri(eer)), **offset)
        ticks = [(float(ndtri(rate)), percent(rate, 4)) for rate in TICKS]
        for set_ticks, low in ((axes.set_xticks, half[0]), (axes.set_yticks, half[1])):
            shown = [(at, text) for at, text in ticks if at >= ndtri(low)]
            set_ticks([at for at, _ in shown], [text for _, text in shown])
        axes.set(xlim=(ndtri(half[0]), ndtri(0.6)), ylim=(ndtri(half[1]), ndtri(0.6)))
        axes.set(xlabel="false accept rate (FAR)", ylabel="false reject rate (FRR)")

    return chart(
        draw,
        name="det",
        title="DET: false reject rate against false accept rate",
        description=f"The two error rates are equal at {percent(evaluation['eer'])}.",
    )


def reliability(rows: Sequence[Row], evaluation: Metrics) -> Markup:
    """Return the reliability diagram: observed rate of same pairs by predicted probability."""
    seen = [row for row in rows if row["observed"]]
    predicted, observed, low, high = _columns(seen, "predicted", "observed", "observed_low", "observed_high")

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], ":", color=MUTED)
        bars = [np.maximum(0, observed - low), np.maximum(0, high - observed)]
        axes.errorbar(predicted, observed, yerr=bars, fmt="o", color=ONE, capsize=3)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set(xlabel="predicted probability", ylabel="observed rate of same pairs")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: percent(value, 0))

    error = evaluation["calibration_error"]
    return chart(
        draw,
        name="reliability",
        title="Reliability diagram",
        description=f"On the diagonal is well calibrated; expected calibration error {percent(error)}.",
    )


def training(rows: Sequence[Row]) -> list[tuple[str, Markup]]:
    """Return (title, plot) of loss, validation accuracy and learning rate by epoch, where recorded."""
    return [
        (title, _over_epochs(rows, column, meaning))
        for column, title, meaning in TRAINING
        if any(row.get(column) for row in rows)
    ]


def _over_epochs(rows: Sequence[Row], column: str, meaning: str) -> Markup:
    seen = [row for row in rows if row.get(column)]
    epochs, values = _columns(seen, "epoch", column)

    def draw(axes: Any) -> None:
        axes.plot(epochs, values, color=ONE, marker="o" if len(seen) < 40 else None, markersize=3.5)
        axes.set(xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if column == "validation_accuracy":
            axes.yaxis.set_major_formatter(lambda value, _: percent(value, 1))
        axes.tick_params(labelcolor=INK)

    first, last = (f"{values[row]:.4g} after epoch {epochs[row]:.0f}" for row in (0, -1))
    return chart(draw, name=column, title=meaning, description=f"{first}, {last}.", height=2.9)


def _columns(rows: Sequence[Row], *names: str) -> list[Any]:
    return [np.array([number(row[name]) for row in rows]) for name in names]

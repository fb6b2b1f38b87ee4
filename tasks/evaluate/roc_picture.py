"""A plot of the ROC."""

from pathlib import Path

from matplotlib.figure import Figure

from facenet.evaluation.roc import Curve
from tasks.evaluate.pictures import DPI, frame, save

SIZE = 11, 5  # inches


def draw_roc(path: Path, curve: Curve, *, title: str, negatives: int) -> None:
    """Draw the ROC with a linear and with a logarithmic FAR axis; the latter starts at one false accept."""
    figure = Figure(figsize=SIZE, dpi=DPI)
    margins = frame(*SIZE, left=0.7, right=0.2, bottom=0.6, top=0.5)
    linear, logarithmic = figure.subplots(1, 2, gridspec_kw={**margins, "wspace": 0.16})
    linear.plot(curve.far, curve.tpr, label=f"AUC {curve.auc():.4f}")
    eer = curve.eer()
    linear.plot([eer], [1 - eer], "o", label=f"EER {eer:.4f}")
    linear.plot([0, 1], [0, 1], ":", color="grey", label="chance")
    linear.legend(loc="lower right")
    logarithmic.step(curve.far, curve.tpr, where="post")
    logarithmic.set_xscale("log")
    logarithmic.set_xlim(1 / max(2, negatives), 1)
    for axes in (linear, logarithmic):
        axes.set(xlabel="false accept rate (FAR)", ylabel="true accept rate (VAL)", ylim=(0, 1.01))
        axes.grid(alpha=0.3)
    figure.suptitle(title, parse_math=False)
    save(figure, path)

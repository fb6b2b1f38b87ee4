"""Plots with any number of pairs, and what stands next to each."""

from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

from tasks.evaluate import pairs_picture
from tasks.evaluate.pairs_picture import CORRECT, ERRORS, DecidedPair, draw_halves
from tasks.params.evaluate import EvaluateParams
from tests.tasks.evaluate.running import evaluate

Workspace = Any


def pair(same: bool = False, distance: float = 0.5) -> DecidedPair:
    return DecidedPair(
        left=np.full((30, 30, 3), 90, np.uint8),
        right=np.full((30, 30, 3), 160, np.uint8),
        left_name="$Dollar_and_a_very_long_name/$Dollar_and_a_very_long_name_0001",
        right_name="李/李_0002",
        same=same,
        distance=distance,
        threshold=1.1,
    )


@pytest.mark.parametrize("headings", [ERRORS, CORRECT])
@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (0, 6), (4, 3)])
def test_plot_of_any_number(tmp_path: Path, headings: Any, first: int, second: int) -> None:
    path = tmp_path / "pairs.png"
    draw_halves(path, {headings[0]: [pair()] * first, headings[1]: [pair()] * second})
    image = np.asarray(Image.open(path).convert("RGB"))
    shown = [int((image == grey).all(axis=2).sum()) > 100 for grey in (90, 160)]
    assert shown == [bool(first + second)] * 2


def test_label_distance_and_threshold_are_stated() -> None:
    assert pair(True, 0.41234).decision == "same: distance 0.412 < threshold 1.100"
    assert pair(False, 1.1).decision == "different: distance 1.100 ≥ threshold 1.100"


def test_the_stage_draws_errors_and_correct_decisions(
    workspace: Workspace, params: EvaluateParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text in both plots: every pair has the label, distance and threshold of decisions.csv."""
    drawn: dict[str, list[str]] = {}
    save = pairs_picture.save

    def keep(figure: matplotlib.figure.Figure, path: Path) -> None:
        drawn[path.name] = [axes.get_title() for part in figure.subfigs for axes in part.axes]
        save(figure, path)

    monkeypatch.setattr(pairs_picture, "save", keep)
    evaluate(workspace, params)
    decisions = {}
    with (workspace.paths["reports"] / "decisions.csv").open() as file:
        next(file)
        for line in file:
            left, right, same, _, distance, threshold, correct = line.strip().split(",")
            label = "same" if same == "true" else "different"
            names = " | ".join(name.rpartition("/")[2] for name in (left, right))
            decisions[names] = (label, float(distance), float(threshold), correct == "true")
    for file_name, shows_correct in (("worst_errors.png", False), ("correct_pairs.png", True)):
        titles = [title for title in drawn[file_name] if title]
        assert len(titles) == 12
        for title in titles:
            names, decision = title.split("\n")
            label, distance, threshold, correct = decisions[names]
            sign = "<" if (label == "same") == correct else "≥"
            assert decision == f"{label}: distance {distance:.3f} {sign} threshold {threshold:.3f}"
            assert correct == shows_correct

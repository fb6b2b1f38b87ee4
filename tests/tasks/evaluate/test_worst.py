"""The selection of the worst errors, and plots with any number of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet.evaluation.protocol import Verification
from facenet.evaluation.roc import Curve
from tasks.evaluate.worst import PairError, draw_errors, worst_errors


def result(distances: list[float], threshold: float) -> Verification:
    return Verification(
        folds=(),
        distances=np.array(distances),
        thresholds=np.where(np.isnan(distances), np.nan, threshold),
        curve=Curve(np.zeros(1), np.zeros(1)),
    )


def test_worst_errors_come_first() -> None:
    distances = [0.9, 0.2, 1.1, 0.5, 1.0, 1.9, 0.1, np.nan, np.nan]
    same = np.array([False, False, False, True, True, True, False, False, True])
    assert worst_errors(result(distances, 1.0), same) == ([6, 1, 0], [5, 4])


def test_at_most_six_per_kind() -> None:
    accepts, rejects = worst_errors(result([0.01 * n for n in range(20)], 1.0), np.zeros(20, bool))
    assert (accepts, rejects) == ([0, 1, 2, 3, 4, 5], [])


@pytest.mark.parametrize(("accepts", "rejects"), [(0, 0), (1, 0), (0, 6), (4, 3)])
def test_plot_of_any_number(tmp_path: Path, accepts: int, rejects: int) -> None:
    error = PairError(
        left=np.full((30, 30, 3), 90, np.uint8),
        right=np.full((30, 30, 3), 160, np.uint8),
        left_name="$Dollar_and_a_very_long_name/$Dollar_and_a_very_long_name_0001",
        right_name="李/李_0002",
        distance=0.5,
        threshold=1.1,
    )
    path = tmp_path / "worst_errors.png"
    draw_errors(path, false_accepts=[error] * accepts, false_rejects=[error] * rejects)
    image = np.asarray(Image.open(path).convert("RGB"))
    shown = [int((image == grey).all(axis=2).sum()) > 100 for grey in (90, 160)]
    assert shown == [bool(accepts + rejects)] * 2

"""The plot of the ROC."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet.evaluation.roc import Curve
from tasks.evaluate.roc_picture import draw_roc


@pytest.mark.parametrize("negatives", [1, 3000])
def test_same_curve_gives_the_same_bytes(tmp_path: Path, negatives: int) -> None:
    curve = Curve(np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    for name in ("a.png", "b.png"):
        draw_roc(tmp_path / name, curve, title="a $ in 100 % of titles", negatives=negatives)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert Image.open(tmp_path / "a.png").size == (1100, 500)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]

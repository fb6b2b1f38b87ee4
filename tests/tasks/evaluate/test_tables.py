"""The CSV tables as other programs read them."""

import math
from pathlib import Path

import numpy as np

from facenet.evaluation.protocol import FoldScore
from facenet.evaluation.roc import Curve
from tasks.evaluate.tables import write_folds, write_roc


def test_folds(tmp_path: Path) -> None:
    score = FoldScore(fold=3, pairs=8, correct=6, threshold=1.25, val_threshold=0.5, val=0.125, far=math.nan)
    write_folds(tmp_path / "folds.csv", [score])
    assert (tmp_path / "folds.csv").read_text() == (
        "fold,pairs,threshold,accuracy,val_threshold,val,far\n3,8,1.25,0.75,0.5,0.125,\n"
    )


def test_roc_is_thinned(tmp_path: Path) -> None:
    steps = np.sort(np.random.default_rng(0).random((2, 5000)), axis=1)
    write_roc(tmp_path / "roc.csv", Curve(steps[0], steps[1]))
    lines = (tmp_path / "roc.csv").read_text().splitlines()
    assert lines[0] == "far,tpr"
    assert len(lines) == 501
    assert lines[1] == f"{steps[0, 0]:.6g},{steps[1, 0]:.6g}"
    assert lines[-1] == f"{steps[0, -1]:.6g},{steps[1, -1]:.6g}"

"""Curves show what the tables say."""

import re
from typing import Any

from tasks.report.curves import det, reliability, roc, training

EVALUATION: dict[str, Any] = {"auc": 0.98765, "eer": 0.25, "calibration_error": 0.031}
ROC = [{"far": str(far), "tpr": str(tpr)} for far, tpr in ((0, 0), (0, 0.5), (0.25, 0.75), (1, 1))]
POINT = {"far": "0.1", "val": "0.9", "val_low": "0.85", "val_high": "0.95", "supported": "true"}


def description(svg: str) -> str:
    found = re.search(r"<desc [^>]*>([^<]*)</desc>", svg)
    assert found
    return found[1].replace("\N{NO-BREAK SPACE}", " ")


def test_the_roc_describes_its_metrics_and_supported_points() -> None:
    unsupported = {**POINT, "far": "0.0001", "val": "0.1", "supported": "false"}
    svg = roc(ROC, [POINT, unsupported], EVALUATION, 100)
    assert description(svg) == "AUC 0.9877, EER 25 %, VAL 90 % at FAR 10 %."
    assert "false accept rate (FAR)" in svg


def test_the_det_has_no_infinite_coordinate() -> None:
    svg = det(ROC, EVALUATION, 50, 100)
    assert description(svg) == "The two error rates are equal at 25 %."
    assert not re.search(r"nan|inf", svg)
    assert "EER" in svg


def test_a_perfect_model_can_be_plotted() -> None:
    perfect = [{"far": str(far), "tpr": str(tpr)} for far, tpr in ((0, 0), (0, 1), (1, 1))]
    for svg in (det(perfect, {**EVALUATION, "eer": 0.0}, 50, 100), roc(perfect, [], EVALUATION, 100)):
        assert not re.search(r"nan|inf", svg)


def test_reliability_leaves_empty_bins_out() -> None:
    names = ("predicted", "observed", "observed_low", "observed_high")
    rows = [dict(zip(names, values, strict=True)) for values in (("0.1", "0.2", "0.1", "0.3"), ("",) * 4)]
    assert "3.1 %" in description(reliability(rows, EVALUATION))


def test_training_has_a_curve_for_each_recorded_metric() -> None:
    rows = [{"epoch": "1", "loss": "2", "lr": "0.1", "validation_accuracy": ""}]
    assert [title for title, _ in training(rows)] == ["Loss", "Learning rate"]
    assert training([]) == []
    two = [*rows, {"epoch": "2", "loss": "1.5", "lr": "0", "validation_accuracy": "0.7"}]
    (_, loss), (_, accuracy), _ = training(two)
    assert description(loss) == "2 after epoch 1, 1.5 after epoch 2."
    assert description(accuracy) == "0.7 after epoch 2, 0.7 after epoch 2."

import json
import math
from dataclasses import asdict

import pytest

from facenet.training.reports import EpochReport, EpochTotals, StepReport


def step(number: int, loss: float, **metrics: float) -> StepReport:
    return StepReport(
        step=number,
        epoch=2,
        batch=number,
        batches=3,
        images=10,
        loss=loss,
        lr=number / 10,
        seconds=0.5,
        metrics=metrics,
    )


def totals() -> EpochTotals:
    sums = EpochTotals()
    sums.add(step(1, 1.0, d_ap=0.5, active_share=0.2, candidates=9))
    sums.add(step(2, 3.0, d_ap=math.nan, active_share=0.0, candidates=0))
    sums.add(step(3, 5.0, d_ap=0.7, active_share=0.4, candidates=0))
    return sums


def test_means_leave_out_what_is_not_finite_and_idle_steps_are_counted() -> None:
    report = totals().report(2, {"accuracy": 0.9}, {})
    assert (report.steps, report.images, report.seconds, report.lr) == (3, 30, 1.5, 0.3)
    assert report.loss == 3.0
    assert report.metrics == {
        "d_ap": pytest.approx(0.6),
        "active_share": pytest.approx(0.2),
        "candidates": pytest.approx(3),
    }
    assert report.inactive_steps == 2
    assert report.images_per_second == 20


def test_totals_and_report_survive_json_to_the_last_bit() -> None:
    sums = totals()
    sums.add(step(4, 0.1 + 0.2, d_ap=1 / 3))
    again = EpochTotals(**json.loads(json.dumps(asdict(sums))))
    assert again == sums
    report = sums.report(2, {"accuracy": 2 / 3}, {})
    assert EpochReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report

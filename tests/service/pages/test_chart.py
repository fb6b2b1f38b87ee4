from dataclasses import replace

import pytest

from facenet.evaluation.histogram import histogram_of
from facenet.face_model import FaceModel
from service.pages.chart import HEIGHT, WIDTH, chart_of


def test_the_curve_is_the_probability_of_the_calibration(face_model: FaceModel) -> None:
    matcher = face_model.matcher
    assert matcher is not None
    chart = chart_of(matcher, 0.5, 0.2)
    assert chart.longest == pytest.approx(1.1)
    points = [tuple(map(float, point.split(","))) for point in chart.curve.split()]
    for x, y in points[::20]:
        expected = float(matcher.probability([x / WIDTH * chart.longest])[0])  # type: ignore[arg-type]
        assert 1 - y / HEIGHT == pytest.approx(expected, abs=0.01)
    assert (chart.threshold, chart.distance) == (round(0.5 / 1.1 * 600, 1), round(0.2 / 1.1 * 600, 1))
    assert chart_of(matcher, 0.5, 3.0).distance < WIDTH  # type: ignore[operator]
    alone = chart_of(matcher, 0.5)
    assert (alone.distance, alone.threshold, alone.longest) == (None, chart.threshold, chart.longest)


def test_bars_are_the_counts_of_the_evaluation(face_model: FaceModel) -> None:
    assert face_model.matcher is not None
    histogram = histogram_of(
        [0.1, 0.1, 0.3, 0.9, 0.9, 0.9, 1.2], [True, True, True, False, False, False, False]
    )
    chart = chart_of(replace(face_model.matcher, histogram=histogram), 0.5, 0.2)
    assert chart.longest == pytest.approx(1.2)
    heights = {kind: [bar.height for bar in chart.bars if bar.same is kind] for kind in (True, False)}
    assert heights == {True: [190.0, 95.0], False: [190.0, pytest.approx(190 / 3, abs=0.1)]}
    assert all(bar.y + bar.height == pytest.approx(HEIGHT) for bar in chart.bars)
    assert chart_of(face_model.matcher, 0.5, 0.2).bars == ()

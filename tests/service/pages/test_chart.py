import pytest

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
    assert chart_of(matcher, 0.5, 3.0).distance < WIDTH

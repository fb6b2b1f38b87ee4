import numpy as np
import pytest

from facenet.detection.templates import TEMPLATES


def test_dlibs_chip_is_its_mean_face_with_a_quarter_of_padding() -> None:
    """A position m in the unit square of the face becomes (0.25 + m) / 1.5 of the side."""
    mean = [(0.225492, 0.21599), (0.754761, 0.21599), (0.490127, 0.55), (0.254149, 0.780233)]
    mean.append((0.726104, 0.780233))
    expected = (0.25 + np.array(mean)) / 1.5 * 150
    np.testing.assert_allclose(TEMPLATES["dlib"].points, expected, atol=1e-9)


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_faces_scaled_with_the_image(name: str) -> None:
    template = TEMPLATES[name]
    left, right, nose, left_corner, right_corner = points = template.scaled(112)
    assert left.real < nose.real < right.real
    assert left_corner.real < nose.real < right_corner.real
    assert max(left.imag, right.imag) < nose.imag < min(left_corner.imag, right_corner.imag)
    assert all(0 < part < 112 for point in points for part in (point.real, point.imag))
    np.testing.assert_allclose(template.scaled(224), 2 * points)


def test_ours_differs_from_dlibs_by_what_the_detectors_differ() -> None:
    ours, dlibs = (np.array(TEMPLATES[name].points) for name in ("ours", "dlib"))
    assert TEMPLATES["ours"].side == TEMPLATES["dlib"].side == 150
    apart = np.hypot(*(ours - dlibs).T)
    assert apart.max() < 3  # pixels: the same face
    assert apart[:2].max() < apart[3:].min()  # the detectors agree on the eyes more than on the mouth

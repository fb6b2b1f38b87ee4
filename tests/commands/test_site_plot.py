"""The figure is drawn for people with and without two photos, and is the same each time."""

from pathlib import Path

import pytest

from commands.site_plot import draw_site
from tests.facenet.site_calibration.test_measurement import site


@pytest.mark.parametrize("photos", [1, 4])
def test_the_same_measurement_gives_the_same_bytes(tmp_path: Path, photos: int) -> None:
    for suffix in ("png", "svg"):
        drawn = []
        for number in range(2):
            path = tmp_path / f"{number}.{suffix}"
            draw_site(path, site(24, photos))
            drawn.append(path.read_bytes())
        assert drawn[0] == drawn[1]
    text = drawn[0].decode()
    assert "<svg" in text
    assert ("one person" in text) == (photos > 1)

"""The plot of leaks."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.evaluate.leak_search import Leak
from tasks.evaluate.leaks_picture import SHOWN, draw_leaks

Workspace = Any


@pytest.mark.parametrize(("count", "rows"), [(0, 1), (1, 1), (5, 2), (40, SHOWN // 4)])
def test_plot_of_any_number(workspace: Workspace, count: int, rows: int) -> None:
    first, second = (workspace.ids[name] for name in ("s1/s1_0001", "s2/s2_0001"))
    leaks = [Leak("similarity", "$s1", "Zoë", first, second, 0.97, 0.95)] * count
    path = workspace.paths["reports"] / "leaks.png"
    draw_leaks(path, leaks, workspace.paths["aligned"])
    image = np.asarray(Image.open(path).convert("L"))
    assert image.shape == (round(100 * (1 + 2.2 * rows)), 1100)
    faces = ((image > 40) & (image < 200)).mean()  # text alone has few grey pixels
    assert (faces > 0.03) == (count > 0)


def test_people_without_a_photo_in_training_are_not_drawn(workspace: Workspace) -> None:
    photo, reports = workspace.ids["s1/s1_0001"], workspace.paths["reports"]
    draw_leaks(reports / "none.png", [], workspace.paths["aligned"])
    draw_leaks(reports / "name.png", [Leak("name", "s1", "S 1", photo, "")], workspace.paths["aligned"])
    assert (reports / "none.png").read_bytes() == (reports / "name.png").read_bytes()

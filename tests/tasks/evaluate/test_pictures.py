"""Plots on disk."""

from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from tasks.evaluate.pictures import DPI, save


def test_bytes_depend_only_on_the_plot(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "a.png"
    for _ in range(2):
        save(Figure(figsize=(2, 1), dpi=DPI), path)
    image = Image.open(path)
    assert image.size == (200, 100)
    assert "Software" not in image.info
    assert [p.name for p in path.parent.iterdir()] == ["a.png"]

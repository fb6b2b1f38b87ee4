from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from facenet.detection import Faces
from facenet.images import encode
from tasks.align.contact_sheet import (
    CAPTION,
    CHOSEN,
    COLUMNS,
    KEPT,
    OTHER,
    REJECTED,
    SIDE,
    WITHOUT,
    write_contact_sheet,
)
from tasks.align.detection_cache import DetectionCache
from tasks.align.rows import RawRow, raw_rows
from tests.tasks.align.conftest import RawWriter

GREY = 90


def photo(shade: int, width: int = 90) -> bytes:
    return encode(np.full((90, width, 3), shade, np.uint8), "png")


def faces(*boxes: tuple[float, float, float, float]) -> Faces:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    points = np.repeat(corners[:, None, :2] + 5, 5, axis=1)
    return Faces(corners, np.linspace(0.9, 0.8, len(boxes), dtype=np.float32), points)


def draw(folder: Path, rows: list[RawRow], found: dict[str, Faces], rejected: dict[str, str]) -> np.ndarray:
    cache = DetectionCache(folder / "cache")
    for image_id, of_photo in found.items():
        cache.add(image_id, of_photo)
    path = folder / "reports" / "sheet.png"
    write_contact_sheet(
        path, rows=rows, rejected=rejected, faces=cache, raw=folder / "raw", selection="largest"
    )
    return np.asarray(Image.open(path).convert("RGB"))


def has(pixels: np.ndarray, colour: str) -> bool:
    return bool((pixels == ImageColor.getrgb(colour)).all(axis=-1).any())


def tile(sheet: np.ndarray, number: int) -> np.ndarray:
    top, left = number // COLUMNS * (SIDE + CAPTION), number % COLUMNS * SIDE
    return sheet[top : top + SIDE + CAPTION, left : left + SIDE]


def test_the_chosen_face_is_green_and_others_yellow(tmp_path: Path, write_raw: RawWriter) -> None:
    write_raw(tmp_path / "raw", [("Ada", "train", photo(GREY))])
    rows = raw_rows(tmp_path / "raw")
    sheet = draw(tmp_path, rows, {rows[0].image_id: faces((10, 10, 30, 30), (40, 20, 80, 80))}, {})
    assert sheet.shape == (SIDE + CAPTION, COLUMNS * SIDE, 3)
    # The photo is shown at twice its size; boxes are two pixels wide.
    assert has(sheet[100:140, 78:82], CHOSEN)
    assert has(sheet[30:50, 18:22], OTHER)
    assert not has(sheet[30:50, 18:22], CHOSEN)
    assert (sheet[170, 10] == GREY).all()
    assert (tile(sheet, 1) == 255).all()


def test_photos_without_a_face_come_last_with_the_reason_in_red(tmp_path: Path, write_raw: RawWriter) -> None:
    photos = [("Ada", "train", photo(GREY)), ("Bob", "train", photo(GREY + 1)), ("Cut", "train", b"no photo")]
    write_raw(tmp_path / "raw", photos)
    rows = raw_rows(tmp_path / "raw")
    id_of = {row.identity: row.image_id for row in rows}
    rejected = {id_of["Bob"]: "no_face", id_of["Cut"]: "corrupt"}
    sheet = draw(tmp_path, rows, {id_of["Ada"]: faces((10, 10, 30, 30)), id_of["Bob"]: Faces()}, rejected)
    assert has(tile(sheet, 0)[:SIDE], CHOSEN)
    caption = tile(sheet, 0)[SIDE:]
    assert (caption.max(axis=-1) == caption.min(axis=-1)).all()
    for number in (1, 2):
        caption = tile(sheet, number)[SIDE:].astype(int)
        assert (caption[..., 0] > caption[..., 1] + 100).any()  # the reason in red, blurred by antialiasing
    crossed = [has(tile(sheet, number)[:SIDE], REJECTED) for number in (1, 2)]
    assert sorted(crossed) == [False, True]  # what cannot be decoded is crossed out


def test_the_sample_is_bounded_and_does_not_depend_on_the_order_of_rows(
    tmp_path: Path, write_raw: RawWriter
) -> None:
    photos = [(f"p{n}", "evaluate", photo(n, 60 + n % 50)) for n in range(200)]
    write_raw(tmp_path / "raw", photos)
    rows = raw_rows(tmp_path / "raw")
    found = {row.image_id: faces((5, 5, 40, 40)) if n % 2 else Faces() for n, row in enumerate(rows)}
    sheet = draw(tmp_path, rows, found, {})
    shown = KEPT + WITHOUT
    assert sheet.shape[0] == -(-shown // COLUMNS) * (SIDE + CAPTION)
    green = [has(tile(sheet, number)[:SIDE], CHOSEN) for number in range(shown)]
    assert green == [True] * KEPT + [False] * WITHOUT
    np.testing.assert_array_equal(draw(tmp_path, rows[::-1], found, {}), sheet)

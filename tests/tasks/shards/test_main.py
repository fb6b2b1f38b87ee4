"""Export and contact sheet of real faces."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet.errors import DataInvalid
from facenet.images import decode, encode
from tasks.shards import RAW_SCHEMA, sort_key, write_shards
from tasks.shards.__main__ import CAPTION, contact_sheet, export, main


def png(photo: bytes) -> bytes:
    content = io.BytesIO()
    Image.open(io.BytesIO(photo)).save(content, "PNG")
    return content.getvalue()


def test_export_writes_what_is_stored_as_webp_as_the_same_pixels_in_png(
    tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    pixels = decode(orl_photos[0][1])
    row = {"image_id": "1", "identity": "s1", "source": "s", "role": "train", "image": encode(pixels, "webp")}
    write_shards(tmp_path / "raw", "images", RAW_SCHEMA, [row], 1)
    assert export(tmp_path / "raw", "images", tmp_path / "tree") == 1
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "tree" / "s1" / "1.png")), pixels)


@pytest.fixture
def table(tmp_path: Path, orl_photos: list[tuple[str, bytes]]) -> Path:
    """Thirty photos of three people in two shards under data/raw."""
    rows = [
        {"image_id": f"{n:03d}", "identity": name, "source": "orl", "role": "train", "image": png(content)}
        for n, (name, content) in enumerate(orl_photos[:30])
    ]
    folder = tmp_path / "data" / "raw"
    write_shards(folder, "images", RAW_SCHEMA, sorted(rows, key=lambda row: sort_key(row, 2)), 2)
    return folder


def test_export_writes_one_folder_per_identity_with_the_stored_bytes(
    table: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    assert export(table, "images", tmp_path / "tree") == 30
    files = {
        path.relative_to(tmp_path / "tree").as_posix(): path for path in (tmp_path / "tree").rglob("*.png")
    }
    assert files.keys() == {f"{name}/{n:03d}.png" for n, (name, _) in enumerate(orl_photos[:30])}
    assert files["s2/013.png"].read_bytes() == png(orl_photos[13][1])


def test_export_goes_to_a_new_folder_only(table: Path, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "mine.txt").write_text("mine")
    with pytest.raises(DataInvalid, match="is not empty"):
        export(table, "images", tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("identity", ["..", "../up", "/abs", "a/b", ""])
def test_export_does_not_leave_its_folder(tmp_path: Path, identity: str) -> None:
    row = {"image_id": "1", "identity": identity, "source": "s", "role": "train", "image": b"\xff\xd8"}
    write_shards(tmp_path / "raw", "images", RAW_SCHEMA, [row], 1)
    with pytest.raises(DataInvalid, match="is not a valid folder name"):
        export(tmp_path / "raw", "images", tmp_path / "tree")


def test_contact_sheet_shows_images_spread_over_the_table(table: Path) -> None:
    sheet = contact_sheet(table, "images", count=9, tile=56)
    assert sheet.size == (3 * 56, 3 * (56 + CAPTION))
    tiles = [
        np.asarray(sheet)[y : y + 56, x : x + 46]  # an ORL photo is 92 x 112
        for y in range(0, sheet.height, 56 + CAPTION)
        for x in range(0, sheet.width, 56)
    ]
    assert len({tile.tobytes() for tile in tiles}) == 9
    assert all(tile.std() > 10 for tile in tiles)
    captions = np.asarray(sheet)[56 : 56 + CAPTION]
    assert captions.min() < 100  # a name is written


def test_contact_sheet_of_one_person_and_of_fewer_images_than_asked(table: Path) -> None:
    assert contact_sheet(table, "images", count=64, identity="s2", tile=20).size == (80, 3 * (20 + CAPTION))
    with pytest.raises(DataInvalid, match="no image of 'nobody'"):
        contact_sheet(table, "images", identity="nobody")


def test_a_missing_table_says_what_to_run(tmp_path: Path) -> None:
    for call in (lambda: export(tmp_path, "faces", tmp_path / "t"), lambda: contact_sheet(tmp_path, "faces")):
        with pytest.raises(DataInvalid, match=r"no faces-\*\.arrow in .*dvc repro"):
            call()


def test_command_line(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["export", "tree", "--table", "photos"])
    main(["show", "sheet.png", "--table", "photos", "--count", "4"])
    assert capsys.readouterr().out == "30 images in tree\nsheet.png: 224 x 252 pixels\n"
    assert Image.open("sheet.png").size == (224, 252)


def test_the_module_is_the_command_and_prints_errors_without_traceback(tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-m", "tasks.shards", "show", "x.png"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(root)}
    )
    assert done.returncode == 1
    assert done.stderr.startswith("DataInvalid: There is no faces-*.arrow")
    assert "Traceback" not in done.stderr

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facenet.errors import SourceInvalid
from facenet.images import decode
from tasks.ingest.records import Record
from tasks.ingest.sources.npy import open_source
from tasks.ingest.sources.opened import Opening
from tasks.ingest.stage import run
from tasks.params.sources import NpySource
from tasks.shards import read_table
from tests.tasks.ingest.settings import ingest_params

SOURCE = NpySource(kind="npy", images="images.npy", names="names.npy", role="train")
PHOTOS = np.random.default_rng(0).integers(0, 256, (4, 30, 20, 3)).astype(np.uint8)
NAMES = np.array(["Ann", "Ann", "Bo", " Bo "])


def write(folder: Path, photos: Any = PHOTOS, names: Any = NAMES) -> None:
    np.save(folder / "images.npy", photos)
    np.save(folder / "names.npy", names)


def test_photos_and_names_belong_together(tmp_path: Path) -> None:
    write(tmp_path)
    opened = open_source(SOURCE, Opening(tmp_path))
    files = list(opened.files(10**6))
    for member, pixels in zip(files, PHOTOS, strict=True):
        assert member.data is not None
        assert np.array_equal(decode(member.data), pixels)
    records = [Record("npy", member.path) for member in files]
    opened.place(records)
    assert [(r.path, r.identity, r.role) for r in records] == [
        ("000000.png", "Ann", "train"),
        ("000001.png", "Ann", "train"),
        ("000002.png", "Bo", "train"),
        ("000003.png", "Bo", "train"),
    ]


def test_large_photos_and_photos_without_a_name_are_rejected(tmp_path: Path) -> None:
    write(tmp_path, names=np.array(["Ann", "", "a/b", "Bo"]))
    opened = open_source(SOURCE, Opening(tmp_path))
    assert [member.status for member in opened.files(100)] == ["too_large"] * 4
    records = [Record("npy", member.path) for member in opened.files(10**6)]
    opened.place(records)
    assert [record.status for record in records] == ["kept", "misplaced", "misplaced", "kept"]


@pytest.mark.parametrize(
    ("photos", "names", "message"),
    [
        (PHOTOS[:3], NAMES, "3 photos, but names.npy has 4 names"),
        (PHOTOS.astype(np.float32), NAMES, "type float32; expected uint8 RGB"),
        (PHOTOS[..., 0], NAMES, r"shape \(4, 30, 20\)"),
        (PHOTOS, np.arange(4), "type int64; expected text"),
        (PHOTOS, NAMES.astype(object), "astype\\(str\\)"),
        (PHOTOS, NAMES.reshape(2, 2), r"shape \(2, 2\)"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, photos: Any, names: Any, message: str) -> None:
    write(tmp_path, photos, names)
    with pytest.raises(SourceInvalid, match=message):
        open_source(SOURCE, Opening(tmp_path))


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_files_that_are_no_arrays_are_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path)
    (tmp_path / "images.npy").write_bytes(content)
    with pytest.raises(SourceInvalid, match=r"images\.npy is not a readable \.npy file"):
        open_source(SOURCE, Opening(tmp_path))


def test_several_arrays_in_one_file_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / "images.npy").open("wb") as file:
        np.savez(file, a=PHOTOS, b=PHOTOS)
    with pytest.raises(SourceInvalid, match="several arrays"):
        open_source(SOURCE, Opening(tmp_path))


def test_real_faces_pass_ingest_unchanged(
    tmp_path: Path, root: Path, orl_photos: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = orl_photos[:60]
    pixels = [np.asarray(Image.open(BytesIO(data)).convert("RGB")) for _, data in chosen]
    (tmp_path / "data" / "downloads").mkdir(parents=True)
    write(tmp_path / "data" / "downloads", np.stack(pixels), np.array([name for name, _ in chosen]))
    source = {"kind": "npy", "images": "images.npy", "names": "names.npy"}
    params = ingest_params(source, held_out_identities=2, folds=2, pairs_per_fold=10)
    run(params, seed=1, raw=tmp_path / "raw", workers=1)
    manifest = pd.read_parquet(tmp_path / "raw" / "manifest.parquet")
    assert set(manifest["status"]) == {"kept"}
    stored = {row["image_id"]: row for row in read_table(tmp_path / "raw", "images").to_pylist()}
    for number, (name, _) in enumerate(chosen):
        row = manifest[manifest["path"] == f"{number:06d}.png"].iloc[0]
        assert row["identity"] == name
        assert np.array_equal(decode(stored[row["image_id"]]["image"]), pixels[number])

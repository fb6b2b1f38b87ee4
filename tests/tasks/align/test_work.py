"""A worker's result for a photo depends on the photo and the settings alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from facenet.detection import MTCNN, CropSettings, DetectorSettings, Faces
from facenet.detection.aligner import align_face
from facenet.devices import cpu_threads
from facenet.images import decode, encode
from tasks.align import work
from tasks.align.rows import RawRow, raw_rows
from tasks.align.work import NO_FACE, AlignedPhoto, Job, Settings, Worker
from tests.tasks.align.conftest import RawWriter

SETTINGS = Settings(DetectorSettings(), "center_weighted", CropSettings(image_size=64, margin=16), "png")
WALL = encode(np.full((60, 80, 3), 90, np.uint8), "png")


@pytest.fixture(scope="module")
def detector() -> MTCNN:
    return MTCNN()


@pytest.fixture
def raw(tmp_path: Path, write_raw: RawWriter, orl_photos: list[tuple[str, bytes]]) -> Path:
    """Five faces, a wall in both roles and a damaged photo."""
    faces = [(name, "train", data) for name, data in orl_photos[:50:10]]
    wall_too = encode(np.full((60, 80, 3), 91, np.uint8), "png")
    others = [("wall", "train", WALL), ("wall", "evaluate", wall_too), ("cut", "train", WALL[:80])]
    write_raw(tmp_path, [*faces, *others])
    return tmp_path


def job(rows: list[RawRow], cached: dict[str, Faces] | None = None) -> Job:
    return Job(rows, [(cached or {}).get(row.image_id) for row in rows])


def columns(result: AlignedPhoto) -> Any:
    return None if result.face is None else {name: str(value) for name, value in result.face.items()}


def test_faces_rejects_and_fallbacks(raw: Path, detector: MTCNN, orl_photos: list[tuple[str, bytes]]) -> None:
    rows = raw_rows(raw)
    results = Worker(raw, SETTINGS, "cpu")(job(rows))
    photo_of = dict(orl_photos[:50:10])
    for row, result in zip(rows, results, strict=True):
        if row.identity == "cut":
            assert result == AlignedPhoto(None, "corrupt")
        elif row.identity == "wall" and row.role == "train":
            assert (result.reason, result.face) == (NO_FACE, None)
        else:
            pixels = decode(photo_of.get(row.identity, encode(np.full((60, 80, 3), 91, np.uint8), "png")))
            (found,) = detector.detect([pixels])
            expected = align_face(pixels, found, SETTINGS.selection, SETTINGS.crop)
            assert result.face is not None
            assert result.face["image"] == encode(expected.image, "png")
            assert result.face["box"] == expected.box.tolist()
            assert result.face["fallback"] == (row.identity == "wall")
            assert result.face["faces_found"] == len(found)


def test_groups_change_no_byte(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, worker = raw_rows(raw), Worker(raw, SETTINGS, "cpu")
    together = worker(job(rows))
    alone = [result for part in job(rows).split() for result in worker(part)]
    monkeypatch.setattr(work, "GROUP_PIXELS", 1)
    for other in (alone, worker(job(rows))):
        assert [columns(a) for a in other] == [columns(b) for b in together]
        assert [a.reason for a in other] == [b.reason for b in together]


def test_cached_faces_are_not_searched_again(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, worker = raw_rows(raw), Worker(raw, SETTINGS, "cpu")
    before = worker(job(rows))
    cached = {row.image_id: result.found for row, result in zip(rows, before, strict=True) if result.found}
    walls = {row.image_id: Faces() for row in rows if row.identity == "wall"}
    shown: list[int] = []

    def detect(images: Any) -> list[Faces]:
        shown.append(len(images))
        return [Faces() for _ in images]

    monkeypatch.setattr(worker._detector, "detect", detect)
    after = worker(job(rows, cached | walls))
    assert sum(shown) == 0
    assert [columns(a) for a in after] == [columns(b) for b in before]


def test_a_training_photo_cached_without_a_face_is_not_opened(raw: Path) -> None:
    (row,) = [row for row in raw_rows(raw) if row.identity == "wall" and row.role == "train"]
    elsewhere = row._replace(file="images-9999.arrow")
    (result,) = Worker(raw, SETTINGS, "cpu")(job([elsewhere], {row.image_id: Faces()}))
    assert (result.reason, result.face) == (NO_FACE, None)


def test_a_worker_on_the_cpu_uses_one_thread_and_restores_the_rest(raw: Path) -> None:
    seen: list[int] = []
    with cpu_threads(3):
        worker = Worker(raw, SETTINGS, "cpu")
        original = worker._detector.detect
        worker._detector.detect = lambda images: (  # type: ignore[method-assign]
            seen.append(torch.get_num_threads()) or original(images)  # type: ignore[func-returns-value]
        )
        worker(job(raw_rows(raw)[:1]))
        assert torch.get_num_threads() == 3
    assert seen == [1]


def test_a_job_is_named_by_its_first_photo(raw: Path) -> None:
    rows = raw_rows(raw)
    assert job(rows[:1]).name() == (
        f"the photo {rows[0].image_id} of {rows[0].identity} in images-0000.arrow"
    )
    assert job(rows[:4]).name().endswith("images-0000.arrow and the 3 rows after it")

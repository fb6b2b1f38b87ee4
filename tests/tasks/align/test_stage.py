import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from facenet.detection import MTCNN
from facenet.devices import cpu_threads
from facenet.errors import DataInvalid
from facenet.images import decode
from tasks.align.stage import run
from tasks.params.align import AlignParams
from tasks.shards import FACES_SCHEMA, read_table
from tests.tasks.align.damages import DAMAGES
from tests.tasks.dask_processes import DaskProcesses

RUN = """
import os, signal, sys
from pathlib import Path
from tasks.align import stage
from tasks.align import detection_cache
from tasks.params.align import AlignParams

class Deadly(detection_cache.DetectionCache):
    def flush(self):
        super().flush()
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    detection_cache.PART_ROWS = 8
    stage.DetectionCache = Deadly
    folder = Path(sys.argv[1])
    params = AlignParams.model_validate_json(sys.argv[2])
    places = {name: folder / name for name in ("raw", "aligned", "cache", "reports")}
    stage.run(params, device="cpu", **places)
"""
WriteRaw = Callable[..., None]


def align(folder: Path, params: AlignParams) -> dict[str, Any]:
    return run(
        params,
        device="cpu",
        raw=folder / "raw",
        aligned=folder / "aligned",
        cache=folder / "cache",
        reports=folder / "reports",
    )


def output(folder: Path) -> dict[str, bytes]:
    files = [*(folder / "aligned").iterdir(), folder / "reports" / "align_contact_sheet.png"]
    return {path.name: path.read_bytes() for path in files}


def blank(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (90, 110), (shade, shade, shade)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def photos(orl_photos: list[tuple[str, bytes]]) -> list[tuple[str, str, bytes]]:
    return [
        (name, "train" if number % 20 < 10 else "evaluate", data)
        for number, (name, data) in enumerate(orl_photos[::10])
    ]


def test_faces_fallbacks_and_rejects(
    tmp_path: Path,
    photos: list[Any],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "1")
    hopeless = [
        ("blank", "train", blank(30)),
        ("blank", "evaluate", blank(99)),
        ("cut", "train", photos[0][2][:500]),
    ]
    write_raw(tmp_path / "raw", photos + hopeless)
    metrics = align(tmp_path, params)
    table = read_table(tmp_path / "aligned", "faces")
    assert table.schema == FACES_SCHEMA
    rejects = pd.read_parquet(tmp_path / "aligned" / "rejects.parquet")
    assert list(rejects.columns) == ["image_id", "path", "reason"]
    reasons = dict(zip(rejects["path"], rejects["reason"], strict=True))
    assert reasons["blank/photo"] == "no_face"
    assert reasons["cut/photo"] == "corrupt"
    assert metrics["images"] == len(photos) + 3 == metrics["faces"] + metrics["fallbacks"] + len(rejects)
    assert metrics["rejected"] == {"corrupt": 1, "no_face": len(rejects) - 1}
    assert metrics["faces"] >= 0.9 * len(photos)
    assert {"images_per_second", "peak_memory_mb", "device", "runtime", "precision"} <= set(metrics)
    rows = table.to_pylist()
    sides = [max(r["box"][2] - r["box"][0], r["box"][3] - r["box"][1]) for r in rows if not r["fallback"]]
    assert metrics["face_sides"] == {
        name: sum(low <= side < 2 * low for side in sides)
        for low in (16, 32, 64, 128)
        if (name := f"{low}-{2 * low - 1}") in metrics["face_sides"]
    }
    assert sum(metrics["face_sides"].values()) == metrics["faces"]
    (middle,) = [row for row in rows if row["identity"] == "blank"]
    assert (middle["role"], middle["fallback"], middle["faces_found"], middle["probability"]) == (
        "evaluate",
        True,
        0,
        0,
    )
    assert np.isnan(middle["landmarks"]).all()
    assert all(decode(row["image"]).shape == (64, 64, 3) for row in rows)
    sheet = Image.open(tmp_path / "reports" / "align_contact_sheet.png")
    assert sheet.width > 1000


@pytest.mark.slow
def test_the_same_bytes_for_any_number_of_workers_and_after_any_history(
    tmp_path: Path,
    photos: list[Any],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    photos = [*photos, ("blank", "evaluate", blank(99)), ("blank", "train", blank(30))]
    write_raw(one / "raw", photos)
    monkeypatch.setenv("FACENET_WORKERS", "1")
    assert align(one, params)["searched"] == len(photos)

    monkeypatch.setenv("FACENET_WORKERS", "2")
    write_raw(two / "raw", photos[:-6])  # fewer photos, then another margin, then all photos
    align(two, params)
    monkeypatch.setenv("FACENET_WORKERS", "1")
    wide = align(two, params.model_copy(update={"margin": 40}))
    assert (wide["searched"], wide["reused"]) == (0, 0)
    assert output(two) != output(one)
    write_raw(two / "raw", photos)
    monkeypatch.setenv("FACENET_WORKERS", "2")
    align(two, params)
    assert output(two) == output(one)

    shutil.rmtree(two / "aligned")  # as DVC does before it runs the stage
    again = align(two, params)
    assert (again["searched"], again["reused"]) == (0, again["faces"] + again["fallbacks"])
    assert output(two) == output(one)


def test_aligning_in_this_process_restores_its_number_of_threads(
    tmp_path: Path,
    photos: list[Any],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "1")
    write_raw(tmp_path / "raw", photos[:1])
    during: list[int] = []

    def detect(detector: MTCNN, images: Any) -> Any:
        during.append(torch.get_num_threads())
        return original(detector, images)

    original = MTCNN.detect
    monkeypatch.setattr(MTCNN, "detect", detect)
    with cpu_threads(3):
        align(tmp_path, params)
        assert torch.get_num_threads() == 3
    assert during == [1]


def test_a_modified_output_is_not_reused(
    tmp_path: Path,
    photos: list[Any],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "1")
    write_raw(tmp_path / "raw", photos[:4])
    align(tmp_path, params)
    before, path = output(tmp_path), tmp_path / "aligned" / "faces-0000.arrow"
    path.write_bytes(path.read_bytes().replace(b"\x89PNG", b"\x89PNX"))
    assert align(tmp_path, params)["reused"] == 0
    assert output(tmp_path) == before


def test_damaged_caches_are_rebuilt_and_change_no_byte(
    tmp_path: Path,
    photos: list[Any],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every file of the cache, one after another, in every way."""
    monkeypatch.setenv("FACENET_WORKERS", "1")
    write_raw(tmp_path / "raw", photos[:2])
    align(tmp_path, params)
    before = output(tmp_path)
    for way, damage in DAMAGES.items():
        cached = sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())
        assert len(cached) == 3  # detections, faces and their receipt
        for path in cached:
            damage(path)
        caplog.clear()
        align(tmp_path, params)
        assert output(tmp_path) == before, way
        assert caplog.text.count("is damaged") >= 2, way
    assert align(tmp_path, params)["reused"] == 2


def test_a_damaged_raw_table_is_an_error_that_names_the_file(
    tmp_path: Path, photos: list[Any], write_raw: WriteRaw, params: AlignParams
) -> None:
    write_raw(tmp_path / "raw", photos[:2])
    path = tmp_path / "raw" / "images-0000.arrow"
    for content in (b"", path.read_bytes()[:100]):
        path.write_bytes(content)
        with pytest.raises(DataInvalid, match=r"images-0000\.arrow is damaged.*dvc repro"):
            align(tmp_path, params)


def test_a_change_of_role_is_decided_again(
    tmp_path: Path,
    photos: list[Any],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "1")
    for role, kept in (("evaluate", 1), ("train", 0), ("evaluate", 1)):
        write_raw(tmp_path / "raw", [*photos[:2], ("blank", role, blank(99))])
        metrics = align(tmp_path, params)
        assert (metrics["fallbacks"], sum(metrics["rejected"].values())) == (kept, 1 - kept)


@pytest.mark.slow
def test_a_killed_run_continues_to_the_same_bytes(
    tmp_path: Path,
    orl_photos: list[tuple[str, bytes]],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "1")
    photos = [(name, "evaluate", data) for name, data in orl_photos[::5]]
    for name in ("killed", "whole"):
        write_raw(tmp_path / name / "raw", photos)
    script = tmp_path / "align.py"  # spawned workers import the main module from its file
    script.write_text(RUN)
    command = [sys.executable, str(script), str(tmp_path / "killed"), params.model_dump_json()]
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "FACENET_WORKERS": "2", "PYTHONPATH": root}
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert len(list((tmp_path / "killed" / "cache").glob("detections-*/part-*.arrow"))) == 1
    assert not (tmp_path / "killed" / "cache" / "aligned" / "receipt.json").exists()
    continued = align(tmp_path / "killed", params)
    assert continued["searched"] == len(photos) - 8
    assert align(tmp_path / "whole", params)["searched"] == len(photos)
    assert output(tmp_path / "killed") == output(tmp_path / "whole")


@pytest.mark.server
@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(
    tmp_path: Path,
    orl_photos: list[tuple[str, bytes]],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
    dask_processes: DaskProcesses,
) -> None:
    photos = [(name, "evaluate", data) for name, data in orl_photos[::2]]
    for name in ("here", "there"):
        write_raw(tmp_path / name / "raw", photos)
    monkeypatch.setattr("tasks.align.stage.LARGE_ROWS", 16)
    monkeypatch.setattr("tasks.align.detection_cache.PART_ROWS", 16)
    killed: list[int] = []

    def kill_one_half_way() -> None:
        found = tmp_path / "there" / "cache"
        while len(list(found.glob("detections-*/part-*.arrow"))) < 3:
            time.sleep(0.01)
        victim = dask_processes.working()[0]
        victim.kill()
        killed.append(victim.pid)

    killer = threading.Thread(target=kill_one_half_way, daemon=True)
    killer.start()
    metrics = align(tmp_path / "there", params)
    assert killed
    assert metrics["searched"] == len(photos)
    monkeypatch.delenv("FACENET_DASK_SCHEDULER")
    monkeypatch.setenv("FACENET_WORKERS", "1")
    align(tmp_path / "here", params)
    assert output(tmp_path / "there") == output(tmp_path / "here")


def test_without_raw_photos_the_error_names_the_next_command(tmp_path: Path, params: AlignParams) -> None:
    with pytest.raises(DataInvalid, match="dvc repro ingest"):
        align(tmp_path, params)


def test_whole_photos_are_used_without_detection(
    tmp_path: Path,
    photos: list[Any],
    write_raw: WriteRaw,
    params: AlignParams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "1")
    write_raw(
        tmp_path / "raw", [*photos, ("blank", "train", blank(30)), ("cut", "train", photos[0][2][:500])]
    )
    detected = align(tmp_path, params)
    whole = params.model_copy(update={"method": "none", "margin": 0, "image_size": 92})
    metrics = align(tmp_path, whole)
    assert "resized" not in detected
    assert (metrics["faces"], metrics["fallbacks"], metrics["resized"]) == (len(photos) + 1, 0, 1)
    assert metrics["rejected"] == {"corrupt": 1}  # no photo is rejected for lack of a face
    stored = {row["identity"]: row for row in read_table(tmp_path / "aligned", "faces").to_pylist()}
    name, _, data = photos[0]
    pixels = decode(data)
    assert np.array_equal(decode(stored[name]["image"]), pixels[10:102])
    assert (stored[name]["box"], stored[name]["fallback"]) == ([0, 10, 92, 102], False)
    assert align(tmp_path, whole)["reused"] == len(photos) + 1
    assert align(tmp_path, params)["faces"] == detected["faces"]

"""Every file of the zoo and every portrait goes through the real ingest and align stages.

This happens twice: as training photos, where a photo without a face is rejected, and as evaluation photos,
where its centre is used instead. The second time `ingest.min_side` is 1, so that align gets even tiny ones.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facenet.detection import MTCNN
from facenet.images import decode
from tasks.align import stage as align
from tasks.ingest import stage as ingest
from tasks.params import parse_params
from tasks.shards import read_table
from tests.portraits import GREY, orl, portraits
from tests.zoo import zoo

PORTRAITS = portraits()
ANIMALS = zoo() | {name: portrait.animal for name, portrait in PORTRAITS.items()}
SIDE = 64  # pixels of a stored face


class Verdict(NamedTuple):
    """The result for a file: its status in the manifest, align's reject reason and its row of faces."""

    status: str
    reason: str | None
    face: dict[str, Any] | None


Verdicts = dict[str, Verdict]


def run_both(folder: Path, root: Path, role: str, min_side: int) -> Verdicts:
    params = parse_params((root / "params.yaml").read_text())
    for name, animal in ANIMALS.items():
        path = folder / "photos" / "Ann" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(animal.data)
    source = {"kind": "folder", "path": str(folder / "photos"), "role": role}
    values = params.ingest.model_dump() | {"sources": [source], "min_side": min_side}
    ingest.run(type(params.ingest).model_validate(values), seed=1, raw=folder / "raw", workers=1)
    align.run(
        params.align.model_copy(update={"image_size": SIDE}),
        device="cpu",
        raw=folder / "raw",
        aligned=folder / "aligned",
        cache=folder / "cache",
        reports=folder / "reports",
    )
    manifest = pd.read_parquet(folder / "raw" / "manifest.parquet")
    rejects = pd.read_parquet(folder / "aligned" / "rejects.parquet")
    reasons = dict(zip(rejects["path"], rejects["reason"], strict=True))
    faces = {row["image_id"]: row for row in read_table(folder / "aligned", "faces").to_pylist()}
    return {
        path.removeprefix("Ann/"): Verdict(status, reasons.get(path), faces.get(image_id))
        for path, status, image_id in zip(
            manifest["path"], manifest["status"], manifest["image_id"], strict=True
        )
    }


@pytest.fixture(scope="module")
def one_worker() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACENET_WORKERS", "1")
        yield


@pytest.fixture(scope="module")
def trained(one_worker: None, tmp_path_factory: pytest.TempPathFactory, root: Path) -> Verdicts:
    return run_both(tmp_path_factory.mktemp("train"), root, "train", 20)


@pytest.fixture(scope="module")
def evaluated(one_worker: None, tmp_path_factory: pytest.TempPathFactory, root: Path) -> Verdicts:
    return run_both(tmp_path_factory.mktemp("evaluate"), root, "evaluate", 1)


def faces_in(name: str) -> int:
    return PORTRAITS[name].faces if name in PORTRAITS else 0


@pytest.mark.parametrize("name", ANIMALS)
def test_as_a_training_photo(trained: Verdicts, name: str) -> None:
    status, reason, face = trained[name]
    assert status == ANIMALS[name].status
    if status != "kept":
        assert (reason, face) == (None, None)  # align never sees it
    elif not faces_in(name):
        assert (reason, face) == ("no_face", None)
    else:
        assert reason is None
        assert face is not None
        assert (face["faces_found"], face["fallback"]) == (faces_in(name), False)
        assert face["probability"] > 0.7
        assert decode(face["image"]).shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("name", ANIMALS)
def test_as_an_evaluation_photo(evaluated: Verdicts, name: str) -> None:
    status, reason, face = evaluated[name]
    animal = ANIMALS[name]
    assert status == ("kept" if animal.status == "too_small" else animal.status)
    assert reason is None  # no decodable evaluation photo is lost
    assert (face is not None) == (status == "kept")
    if face is not None:
        assert (face["faces_found"], face["fallback"]) == (faces_in(name), not faces_in(name))
        assert decode(face["image"]).shape == (SIDE, SIDE, 3)
        if face["fallback"]:
            assert face["probability"] == 0
            assert np.isnan(face["landmarks"]).all()
            x0, y0, x1, y1 = face["box"]
            assert animal.width is not None
            assert animal.height is not None
            assert ((x0 + x1) / 2, (y0 + y1) / 2) == (animal.width / 2, animal.height / 2)


def test_boxes_are_where_the_faces_were_pasted(trained: Verdicts) -> None:
    for name, place in {
        "face_in_a_wide_photo.png": (700, 4),
        "face_cut_by_the_border.png": (-22, 40),
    }.items():
        face = trained[name].face
        assert face is not None
        x0, y0, x1, y1 = face["box"]
        assert abs((x0 + x1) / 2 - place[0] - 46) < 22, name
        assert abs((y0 + y1) / 2 - place[1] - 60) < 22, name
    cut = trained["face_cut_by_the_border.png"].face
    assert cut is not None
    assert cut["box"][0] < 0


LARGE = 10_000  # pixels, side of a photo of 100 megapixels
SCALE, PLACE = 6, (7400, 5100)  # of an ORL face in it
COMMAND = """
import atexit, sys
from commands.main import main
from tests.peak_memory import peak_mb
atexit.register(lambda: sys.stderr.write(f"{peak_mb()}\\n"))
sys.argv[0] = "facenet"
main()
"""


@pytest.mark.slow
def test_a_photo_of_100_megapixels(tmp_path: Path, root: Path) -> None:
    small = orl(1)
    photo = Image.new("RGB", (LARGE, LARGE), (GREY, GREY, GREY))
    photo.paste(small.resize((small.width * SCALE, small.height * SCALE), Image.Resampling.BICUBIC), PLACE)
    photo.save(tmp_path / "large.jpg", quality=95)
    del photo
    output, code, peak_mb = run_alone(["detect", "--json", str(tmp_path / "large.jpg")], root)
    assert code == 0
    (entry,) = json.loads(output)
    (face,) = entry["faces"]
    (alone,) = MTCNN().detect([np.asarray(small)])
    expected = alone.boxes[0] * SCALE + np.tile(PLACE, 2)
    np.testing.assert_allclose(face["box"], expected, atol=12 * SCALE)
    points = alone.landmarks[0] * SCALE + PLACE
    np.testing.assert_allclose(face["landmarks"], points, atol=4 * SCALE)
    # 300 MB of pixels, held three times while they are decoded, and the interpreter with torch.
    assert peak_mb < 2000


def run_alone(arguments: list[str], root: Path) -> tuple[str, int, float]:
    """Run `facenet` as a separate process; return its output, exit code and peak memory in MB."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", COMMAND, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout, done.returncode, float(done.stderr.splitlines()[-1])

"""Leaks planted among real photos are found by the stages as a user runs them: by name, and by likeness."""

from collections.abc import Callable
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from faults.project import new_project
from tasks.reports import read_report
from tests.test_pretrained import LFW, WEIGHTS, by_person

pytestmark = pytest.mark.slow

EVALUATED, TRAINED, PHOTOS = 8, 8, 4  # people on either side, and photos of each
SMALL = {"network": "nn4_small2", "embedding_size": 64, "image_size": 96, "epochs": 1}
PRETRAINED = {
    "network": "inception_resnet_v1", "embedding_size": 512, "image_size": 96, "epochs": 1, "init": WEIGHTS,
    "schedule": {"kind": "cosine", "rate": 1e-6, "warmup": 0.0},
}  # fmt: skip


@pytest.fixture
def sample(
    real_file: Callable[[str], Path], orl_photos: list[tuple[str, bytes]]
) -> tuple[list[list[bytes]], dict[str, Any], str]:
    """Photos of 16 people, one more than PHOTOS of each, what to train on them, and where files are found.

    Of LFW with trained weights where both are to be had, else of the sample.
    """
    try:
        archive, weights = real_file(LFW), real_file(WEIGHTS)
    except pytest.skip.Exception:
        photos = [data for _, data in orl_photos]
        people = [photos[10 * number : 10 * number + PHOTOS + 1] for number in range(EVALUATED + TRAINED)]
        return people, SMALL, ""
    known = (photos[: PHOTOS + 1] for _, photos in by_person(archive) if len(photos) > PHOTOS)
    return list(islice(known, EVALUATED + TRAINED)), PRETRAINED, str(weights.parent)


def write(folder: Path, person: str, photos: list[bytes]) -> None:
    (folder / person).mkdir(parents=True)
    for number, data in enumerate(photos):
        Image.open(BytesIO(data)).save(folder / person / f"{number}.png")


def jpeg(photo: bytes) -> bytes:
    buffer = BytesIO()
    Image.open(BytesIO(photo)).convert("RGB").save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def test_a_renamed_person_and_an_encoded_photo_are_found(
    sample: tuple[list[list[bytes]], dict[str, Any], str], root: Path, tmp_path: Path
) -> None:
    people, train, mirror = sample
    project = new_project(tmp_path, {}, mirrors=mirror)
    names = ["Jose Garcia", *(f"Evaluated {number}" for number in range(1, EVALUATED))]
    for name, photos in zip(names, people, strict=False):
        write(project.folder / "held" / "evaluate", name, photos[:PHOTOS])
    for number, photos in enumerate(people[EVALUATED:]):
        planted = [jpeg(people[3][1])] if number == 5 else []
        write(project.folder / "held" / "train", f"Trained {number}", [*photos[:PHOTOS], *planted])
    write(project.folder / "held" / "train", "JOSÉ GARCÍA", people[0][PHOTOS:])
    sources = [{"kind": "folder", "path": f"held/{role}", "role": role} for role in ("train", "evaluate")]
    project.change({"ingest": {"sources": sources, "allow_identity_overlap": True}})
    project.change(
        {"triplets": {"min_images": 1}, "align": {"image_size": 112, "margin": 16}, "train": train}
    )
    project.run("dvc", "repro", "evaluate")
    metrics = read_report(project.folder / "reports" / "evaluation.json")
    assert metrics["leaked_names"] == metrics["identity_overlap"] == 1
    found = pd.read_csv(project.folder / "reports" / "leaks.csv").set_index("found_by")
    assert tuple(found.loc["name", ["evaluated", "trained"]]) == ("Jose Garcia", "JOSÉ GARCÍA")
    assert tuple(found.loc["similarity", ["evaluated", "trained"]]) == ("Evaluated 3", "Trained 5")
    assert metrics["leaked_photos_alike"] == 1
    assert found["evaluated_photo"].notna().all()
    assert found["trained_photo"].notna().all()  # shown side by side in leaks.png
    project.change({"ingest": {"allow_identity_overlap": False}})
    project.run("python", "-m", "tasks.ingest")
    assert read_report(project.folder / "reports" / "ingest.json")["excluded_identities"]

"""Given weights become an evaluated, registered model: the recipe of LFW View 2 on some of its people."""

import tarfile
from itertools import groupby
from pathlib import Path

import pytest

from tasks.reports import read_report
from tests.project import Project

PEOPLE, PHOTOS = 24, 4
WEIGHTS = "inception-resnet-v1-casia-webface.fp16.safetensors"


def _some_people(archive: Path, target: Path) -> None:
    """Extract the first photos of the first people who have enough of them."""
    with tarfile.open(archive) as tar:
        photos = sorted(member.name for member in tar.getmembers() if member.name.endswith(".jpg"))
        people = [list(names) for _, names in groupby(photos, key=lambda name: Path(name).parent.name)]
        chosen = [names[:PHOTOS] for names in people if len(names) >= PHOTOS][:PEOPLE]
        for name in (name for names in chosen for name in names):
            file = tar.extractfile(name)
            assert file is not None
            path = target / Path(name).parent.name / Path(name).name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read())


@pytest.mark.slow
@pytest.mark.shared
def test_casia_weights_tell_people_of_lfw_apart(root: Path, shared: Path, tmp_path: Path) -> None:
    lfw, weights = shared / "data" / "lfw", shared / "weights"
    if not (weights / WEIGHTS).exists():
        pytest.skip(f"no {WEIGHTS} in {weights}")
    project = Project(root, tmp_path, mirrors=f"{lfw}:{weights}")
    _some_people(lfw / "lfw-deepfunneled.tgz", project.folder / "photos")
    project.run("make", "recipe", "NAME=pretrained-lfw-view2")
    source = {"kind": "folder", "path": "photos", "role": "evaluate"}
    project.change({"ingest": {"sources": [source]}})
    project.run("dvc", "repro")
    figures = read_report(project.folder / "reports" / "evaluation.json")
    assert figures["pairs_used"] == figures["pairs_total"] > 200
    assert figures["accuracy"] > 0.95  # 0.99 on all of LFW
    assert read_report(project.folder / "reports" / "train.json")["epochs"] == 0
    assert read_report(project.folder / "reports" / "registration.json")["aliases"] == ["challenger"]

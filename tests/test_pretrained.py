"""Given weights become an evaluated, registered model: the recipe of LFW View 2 on some of its people."""

import tarfile
from collections import defaultdict
from pathlib import Path

import pytest

from tasks.reports import read_report
from tests.project import Project

PEOPLE, PHOTOS = 24, 4
WEIGHTS = "inception-resnet-v1-casia-webface.fp16.safetensors"


def _some_people(archive: Path, target: Path) -> None:
    """Extract the first photos of the first people who have enough of them, and read no further."""
    people: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            path = Path(member.name)
            file = tar.extractfile(member) if path.suffix == ".jpg" else None
            if file and len(people[path.parent.name]) < PHOTOS:
                people[path.parent.name][path.name] = file.read()
            if sum(len(photos) == PHOTOS for photos in people.values()) == PEOPLE:
                break
    for name, photos in people.items():
        if len(photos) == PHOTOS:
            (target / name).mkdir(parents=True, exist_ok=True)
            for file_name, data in photos.items():
                (target / name / file_name).write_bytes(data)


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

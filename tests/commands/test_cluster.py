"""Photos of four people are sorted into four folders; every photo is in the folder of what it shows."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands.cluster import clustered
from facenet import Face, FaceModel
from tests.commands.running import facenet


def test_each_person_has_a_folder_with_their_photos(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("cluster", "people", "wall.ppm", "text.jpg", "--out", "sorted") == 1
    out, err = capsys.readouterr()
    assert out == "12 faces of 4 people, and 0 with a single face: sorted\n"
    assert "text.jpg: unsupported" in err
    folders = sorted(folder for folder in Path("sorted").iterdir() if folder.is_dir())
    assert [folder.name for folder in folders] == ["no-face", *(f"person-000{n}" for n in range(1, 5))]
    for folder in folders[1:]:
        originals = [link.resolve() for link in folder.iterdir()]
        assert len(originals) == 3
        assert len({original.parent.name for original in originals}) == 1
        assert all(link.is_symlink() for link in folder.iterdir())
    assert (folders[0] / "wall.ppm").resolve() == people / "wall.ppm"
    rows = list(csv.DictReader(Path("sorted/clusters.csv").read_text().splitlines()))
    assert len(rows) == 12
    assert {row["folder"] for row in rows} == {folder.name for folder in folders[1:]}


def test_a_group_photo_is_in_the_folder_of_each_of_its_people_and_can_be_copied(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = [np.asarray(Image.open(f"people/{name}/1.pgm").convert("RGB")) for name in ("ann", "bob")]
    Image.fromarray(np.concatenate(faces, axis=1)).save("group.png")
    words = ("group.png", "people/ann", "people/cem/1.pgm", "people/dana/1.pgm", "--copy", "--json")
    assert facenet("cluster", *words, "--out", "sorted") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["photos"], answer["faces"], answer["people"], answer["alone"]) == (6, 7, 1, 3)
    assert not Path("sorted/person-0001/group.png").is_symlink()
    assert Path("sorted/person-0001/group.png").read_bytes() == Path("group.png").read_bytes()
    assert sorted(path.name for path in Path("sorted/alone").iterdir()) == ["1-2.pgm", "1.pgm", "group.png"]


def test_the_distance_decides_how_many_people_there_are(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("cluster", "people", "--out", "one", "--distance", "9") == 0
    assert facenet("cluster", "people", "--out", "all", "--distance", "0") == 0
    assert capsys.readouterr().out.splitlines() == [
        "12 faces of 1 people, and 0 with a single face: one",
        "12 faces of 0 people, and 12 with a single face: all",
    ]


def test_larger_clusters_come_first(model: FaceModel) -> None:
    size = model.template_size
    groups = {"a": 0, "b": 1, "c": 1, "d": 2}
    faces = [
        (name, Face((0, 0, 1, 1), None, 1.0, template=np.eye(size, dtype=np.float32)[group]))
        for name, group in groups.items()
    ]
    found = clustered(model, faces, 0.3)
    assert [(member.path, member.cluster) for member in found] == [("b", 1), ("c", 1), ("a", 0), ("d", 0)]
    assert clustered(model, [], 0.3) == []


def test_a_folder_that_is_not_empty_is_refused_before_the_model_is_loaded(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("cluster", "people", "--out", "people", "--model", "nowhere") == 2
    assert capsys.readouterr().err == "ParamsInvalid: --out: people is not empty. Name a new folder.\n"
    assert facenet("cluster", "people", "--out", "text.jpg", "--model", "nowhere") == 2
    assert "cannot create text.jpg" in capsys.readouterr().err

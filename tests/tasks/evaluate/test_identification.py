"""The split into enrolled and unknown people, and the conversion of thresholds."""

import csv
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.evaluate.identification import cosine_distance, split_people
from tasks.evaluate.stage import run
from tasks.params.evaluate import EvaluateParams
from tasks.params.sources import OrlSource

Workspace = Any
NAMES = [f"P{person}" for person in range(20) for _ in range(1 + person % 4)]


@pytest.mark.parametrize("photos", [1, 3])
def test_parts_are_disjoint(photos: int) -> None:
    split = split_people(NAMES, photos, seed=1)
    assert split is not None
    parts = [
        set(split.enrolled),
        {NAMES[row] for row in split.calibration},
        {NAMES[row] for row in split.test},
    ]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 20
    assert split.test_people == len(parts[2])
    for name, rows in split.enrolled.items():
        assert len(rows) > photos
        assert {NAMES[row] for row in rows} == {name}
    assert split_people(NAMES, photos, seed=1) == split
    assert split_people(NAMES, photos, seed=2) != split


def test_too_few_people_give_no_gallery() -> None:
    assert split_people(NAMES, 4, seed=1) is None
    assert split_people(["a", "a", "b", "b"], 1, seed=1) is None


def test_thresholds_convert_to_cosine_distances() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 16))
    a, b = 1.4 * a / np.linalg.norm(a), 1.4 * b / np.linalg.norm(b)
    cosine = a @ b / 1.4**2
    assert cosine_distance(float(((a - b) ** 2).sum()), "euclidean_squared", 1.96) == pytest.approx(
        1 - cosine
    )
    assert cosine_distance(float(np.arccos(cosine) / np.pi), "arccos", 1.96) == pytest.approx(1 - cosine)
    assert cosine_distance(0.3, "cosine", 1.96) == 0.3


def test_spellings_of_a_person_are_one_person(workspace: Workspace, params: EvaluateParams) -> None:
    faces = workspace.paths["aligned"] / "faces-0000.arrow"
    table = pa.ipc.open_file(faces.read_bytes()).read_all()
    names = table["identity"].to_pylist()
    spelled = pa.array([name.upper() if row % 2 else name for row, name in enumerate(names)])
    table = table.set_column(table.schema.get_field_index("identity"), "identity", spelled)
    with pa.ipc.new_file(faces, table.schema) as writer:
        writer.write_table(table)
    metrics = run(params, workspace.files, device="cpu", seed=3, sources=(OrlSource(kind="orl"),))
    assert metrics["clustered_people"] == 10


def test_real_people_are_identified(workspace: Workspace, params: EvaluateParams) -> None:
    metrics = run(params, workspace.files, device="cpu", seed=3, sources=(OrlSource(kind="orl"),))
    with (workspace.paths["reports"] / "identification.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["gallery_photos"], row["method"]) for row in rows] == [
        *(("1", "nearest_neighbour"), ("1", "linear_svm")),
        *(("2", "nearest_neighbour"), ("2", "mean"), ("2", "linear_svm")),
    ]
    assert [row["people"] for row in rows] == ["5"] * 5
    assert [row["probes"] for row in rows] == ["15", "15", "10", "10", "10"]
    assert metrics["rank1"] == pytest.approx(float(rows[0]["rank1"]), abs=1e-5)
    assert metrics["rank1"] > 0.2
    assert metrics["rank5"] == 1  # of five people
    assert (metrics["clustered_photos"], metrics["clustered_people"]) == (40, 10)
    assert 0 < metrics["pair_f"] <= 1
    assert 0.1 < metrics["bcubed_f"] <= 1

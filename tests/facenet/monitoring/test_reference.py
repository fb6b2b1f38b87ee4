"""The reference as a file, and distances to its centroid."""

import json
from pathlib import Path

import numpy as np
import pytest

from facenet.errors import WeightsInvalid
from facenet.monitoring.reference import (
    MAX_ROWS,
    MEASURES,
    Reference,
    measured_reference,
    read_reference,
    rounded,
)


def reference(faces: int = 5, weights: str = "ab" * 32) -> Reference:
    rng = np.random.default_rng(0)
    measures = rng.normal(0, 1, (faces, len(MEASURES) - 1))
    measures[0, 4] = np.nan
    return measured_reference(weights, rng.normal(1, 1, (faces, 3)), measures, no_face=2, seed=1)


def test_the_centroid_is_the_mean_of_embeddings_of_length_one() -> None:
    embeddings = np.array([[2.0, 0.0], [0.0, 5.0]])
    found = measured_reference("w", embeddings, np.zeros((2, 7)), no_face=3, seed=0)
    assert found.centroid.tolist() == [0.5, 0.5]
    assert found.rows[:, -1] == pytest.approx([np.sqrt(0.5)] * 2)
    assert found.distance([10.0, 0.0]) == pytest.approx(np.sqrt(0.5))
    assert (found.photos, found.no_face) == (5, 3)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = reference()
    written.write(tmp_path / "monitoring.json")
    found = read_reference(tmp_path / "monitoring.json", written.weights_sha256)
    assert found is not None
    assert found.rows == pytest.approx(written.rows, rel=1e-4, nan_ok=True)
    assert found.centroid.tolist() == written.centroid.tolist()
    assert (found.photos, found.no_face) == (7, 2)
    assert read_reference(tmp_path / "missing.json", "w") is None
    first = (tmp_path / "monitoring.json").read_bytes()
    reference().write(tmp_path / "monitoring.json")
    assert (tmp_path / "monitoring.json").read_bytes() == first


def test_many_faces_are_sampled() -> None:
    assert len(reference(MAX_ROWS + 1).rows) == MAX_ROWS
    assert reference(MAX_ROWS + 1).photos == MAX_ROWS + 3


def test_the_file_of_another_model_or_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "monitoring.json"
    reference().write(path)
    with pytest.raises(WeightsInvalid, match="belongs to weights abababababab and the model has cdcd"):
        read_reference(path, "cd" * 32)
    content = json.loads(path.read_text())
    for change in ({"format": 2}, {"measures": ["side"]}, {"rows": [[1]]}, {"centroid": None}):
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises(WeightsInvalid, match=r"not a valid monitoring reference.*dvc repro evaluate"):
            read_reference(path, "ab" * 32)


def test_no_faces(tmp_path: Path) -> None:
    found = measured_reference("w", np.zeros((0, 2)), np.zeros((0, 7)), no_face=1, seed=0)
    assert (found.centroid.tolist(), found.rows.shape, found.photos) == ([0, 0], (0, 8), 1)
    found.write(tmp_path / "monitoring.json")
    assert read_reference(tmp_path / "monitoring.json", "w") is not None


def test_values_as_coarse_as_the_file() -> None:
    found = rounded(np.array([[0.9999961, 1234567.0], [np.nan, 0.1]]))
    assert found[0].tolist() == [1.0, 1234600.0]
    assert np.isnan(found[1, 0])

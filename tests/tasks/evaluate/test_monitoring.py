"""The reference of the evaluated faces against what FaceModel measures."""

from typing import Any

import numpy as np
import pytest

from facenet.images import decode
from facenet.model import ModelCard
from facenet.monitoring.reference import MEASURES, read_reference
from facenet.pose import poses
from facenet.quality import measure_quality
from tasks.params.evaluate import EvaluateParams
from tests.tasks.evaluate.running import evaluate, read_embeddings

Workspace = Any
LANDMARKS = np.array([(40, 50), (80, 50), (60, 74), (45, 95), (75, 95)], np.float64)


def test_each_face_is_measured_as_in_production(workspace: Workspace, params: EvaluateParams) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {**row, "landmarks": (LANDMARKS + rng.normal(0, 3, (5, 2))).tolist()} if not row["fallback"] else row
        for row in workspace.faces()
    ]
    workspace.with_faces(rows)
    faces = {row["image_id"]: row for row in workspace.faces()}
    evaluate(workspace, params)
    path = workspace.paths["monitoring"]
    card = ModelCard.read(workspace.paths["card"])
    reference = read_reference(path, card.weights_sha256)
    assert reference is not None
    assert (reference.photos, reference.no_face, reference.rows.shape) == (40, 1, (39, len(MEASURES)))
    embedded = read_embeddings(workspace).to_pylist()
    expected, vectors = [], []
    for row in embedded:
        face = faces[row["image_id"]]
        if face["fallback"]:
            continue
        x0, y0, x1, y1 = face["box"]
        quality = measure_quality(decode(face["image"]), min(x1 - x0, y1 - y0))
        pose = poses(np.reshape(face["landmarks"], (1, 5, 2)))[0]
        expected.append([face["probability"], *vars(quality).values(), *pose])
        vectors.append(row["embedding"])
    assert reference.rows[:, :-1] == pytest.approx(np.array(expected), rel=1e-4, abs=1e-6)
    unit = np.array(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert reference.centroid == pytest.approx(unit.mean(axis=0), rel=1e-3, abs=1e-5)
    distances = np.linalg.norm(unit - unit.mean(axis=0), axis=1)
    assert reference.rows[:, -1] == pytest.approx(distances, rel=1e-3)


def test_the_same_evaluation_writes_the_same_bytes(workspace: Workspace, params: EvaluateParams) -> None:
    evaluate(workspace, params)
    first = workspace.paths["monitoring"].read_bytes()
    evaluate(workspace, params)
    assert workspace.paths["monitoring"].read_bytes() == first

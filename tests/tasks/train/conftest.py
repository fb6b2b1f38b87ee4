"""A small workspace: five photos each of eight people of ORL who train and of two who are evaluated."""

import shutil
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from facenet.images import encode
from tasks.params import Params, parse_params
from tasks.shards import FACES_SCHEMA, read_table, sort_key, write_shards
from tasks.train.setup import TrainPaths
from tasks.triplets import stage as triplets

PEOPLE, EVALUATED, PHOTOS, SIDE, SHARDS = 8, 2, 5, 76, 2
SMALL: dict[str, dict[str, Any]] = {
    "base": {"seed": 5, "device": "cpu", "precision": "fp32"},
    "align": {"image_size": SIDE},
    "triplets": {"validation_fraction": 0.25, "people_per_batch": 3, "images_per_person": 3},
    "train": {"network": "nn4_small2", "image_size": 66, "embedding_size": 16, "epochs": 2, "batch_size": 8},
}


def small_params(root: Path, **overrides: dict[str, Any]) -> Params:
    """Return params.yaml shrunk for tests, with single values of sections replaced."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    for changes in (SMALL, overrides):
        for section, fields in changes.items():
            values[section].update(fields)
    return parse_params(yaml.safe_dump(values))


def places(folder: Path) -> TrainPaths:
    """Return the stage's places in a workspace."""
    return TrainPaths(
        aligned=folder / "data/aligned",
        triplets=folder / "data/triplets",
        checkpoints=folder / "models/checkpoints",
        weights=folder / "models/facenet.safetensors",
        card=folder / "models/model.json",
        reports=folder / "reports",
    )


def write_faces(folder: Path, photos: list[tuple[str, bytes]], side: int = SIDE) -> None:
    """Write the first photos of the first people as faces of `side` pixels; the last of them do not train."""
    rows = []
    for number, (identity, data) in enumerate(photos):
        if int(identity[1:]) > PEOPLE + EVALUATED or number % 10 >= PHOTOS:
            continue
        role = "train" if int(identity[1:]) <= PEOPLE else "evaluate"
        face = Image.open(BytesIO(data)).convert("RGB").resize((side, side))
        row = {"image_id": f"{identity}-{number}", "identity": identity, "source": "orl", "role": role}
        row |= {"image": encode(np.asarray(face), "png"), "box": [0, 0, 92, 112], "landmarks": [[1, 1]] * 5}
        rows.append({**row, "probability": 1.0, "faces_found": 1, "fallback": False})
    rows.sort(key=lambda row: sort_key(row, SHARDS))
    assert write_shards(folder, "faces", FACES_SCHEMA, rows, SHARDS) == (PEOPLE + EVALUATED) * PHOTOS


def plan_triplets(folder: Path, params: Params) -> None:
    """Run the stage before: who trains, and the plan."""
    triplets.run(
        params.triplets,
        seed=params.base.seed,
        aligned=folder / "data/aligned",
        pairs=folder / "data/raw/pairs.parquet",
        target=folder / "data/triplets",
        with_evaluation_pairs=params.train.evaluate_every > 0,
    )


def write_pairs(path: Path, aligned: Path) -> None:
    """Write every pair of faces of the evaluated people, in two folds by turns."""
    faces = read_table(aligned, "faces", ["image_id", "identity", "role"]).to_pylist()
    evaluated = [face for face in faces if face["role"] == "evaluate"]
    rows = [
        {
            "left": one["image_id"],
            "right": other["image_id"],
            "same": one["identity"] == other["identity"],
            "left_name": f"{one['identity']}/{one['image_id']}",
            "right_name": f"{other['identity']}/{other['image_id']}",
        }
        for one, other in combinations(evaluated, 2)
    ]
    table = pd.DataFrame(rows)
    path.parent.mkdir()
    table.assign(fold=np.arange(len(table), dtype=np.int32) % 2).to_parquet(path)


@pytest.fixture(scope="session")
def planned(
    tmp_path_factory: pytest.TempPathFactory, orl_photos: list[tuple[str, bytes]], root: Path
) -> Path:
    """The folder `data` of the workspace, made once."""
    folder = tmp_path_factory.mktemp("planned")
    write_faces(folder / "data/aligned", orl_photos)
    write_pairs(folder / "data/raw/pairs.parquet", folder / "data/aligned")
    plan_triplets(folder, small_params(root))
    return folder / "data"


@pytest.fixture
def workspace(mlflow_store: Path, planned: Path) -> Path:
    """The working folder with data/aligned, data/triplets and an MLflow store."""
    shutil.copytree(planned, mlflow_store / "data")
    return mlflow_store

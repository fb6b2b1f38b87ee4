"""A small workspace with real faces: ten people of ORL, four photos each, and an untrained network."""

import hashlib
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from facenet import networks
from facenet.images import encode
from facenet.model import ModelCard, NetworkCard, save_model
from tasks.evaluate.files import EvaluatePaths
from tasks.params import parse_params
from tasks.params.evaluate import EvaluateParams
from tasks.shards import FACES_SCHEMA, read_table, sort_key, write_shards

ROOT = Path(__file__).parents[3]
PEOPLE, PHOTOS, SIDE = 10, 4, 100
PARAMS = EvaluateParams(
    distance="euclidean_squared",
    flip="concatenate",
    subtract_mean=True,
    sweep="exact",
    far=0.1,
    precision="fp32",
    batch_size=16,
    missing="fallback",
    all_pairs=False,
    bootstrap_draws=50,
    gallery_photos=(1, 2),
    fpir=0.2,
    leak_similarity=0.9,
    leak_photos=100,
)


@dataclass(frozen=True)
class Workspace:
    """The inputs and outputs of the stage in one folder; `pairs` is the table as written."""

    root: Path
    pairs: pd.DataFrame
    ids: dict[str, str]

    @property
    def paths(self) -> dict[str, Path]:
        """The paths of the stage by name."""
        return {
            "aligned": self.root / "data/aligned",
            "pairs": self.root / "data/raw/pairs.parquet",
            "attributes": self.root / "data/raw/attributes.parquet",
            "identities": self.root / "data/triplets/identities.parquet",
            "weights": self.root / "models/facenet.safetensors",
            "card": self.root / "models/model.json",
            "calibration": self.root / "models/calibration.json",
            "monitoring": self.root / "models/monitoring.json",
            "embeddings": self.root / "data/embeddings",
            "reports": self.root / "reports",
            "cache": self.root / "data/cache",
        }

    @property
    def files(self) -> EvaluatePaths:
        """The paths of the stage."""
        return EvaluatePaths(**self.paths)

    def with_pairs(self, pairs: pd.DataFrame) -> "Workspace":
        pairs.to_parquet(self.paths["pairs"])
        return replace(self, pairs=pairs)

    def with_trained(self, *people: str) -> "Workspace":
        table = pd.DataFrame({"identity": people, "images": 4, "split": "train"})
        table.to_parquet(self.paths["identities"])
        return self

    def faces(self) -> list[dict[str, Any]]:
        """Return the rows of the face table."""
        rows: list[dict[str, Any]] = read_table(self.paths["aligned"], "faces").to_pylist()
        return rows

    def with_faces(self, rows: list[dict[str, Any]]) -> "Workspace":
        ordered = sorted(rows, key=lambda row: sort_key(row, 2))
        write_shards(self.paths["aligned"], "faces", FACES_SCHEMA, ordered, 2)
        return self

    def with_card(self, **fields: Any) -> "Workspace":
        card = replace(ModelCard.read(self.paths["card"]), **fields)
        self.paths["card"].write_text(card.to_json())
        return self


def name(person: int, photo: int) -> str:
    return f"s{person + 1}/s{person + 1}_{photo + 1:04d}"


@pytest.fixture
def params() -> EvaluateParams:
    """The options of most tests."""
    return PARAMS


@pytest.fixture
def workspace(tmp_path: Path, orl_photos: list[tuple[str, bytes]]) -> Workspace:
    """Faces in data/aligned (one a fallback), 120 pairs in 5 folds of people not trained on, a model."""
    return build_workspace(tmp_path, orl_photos)


def build_workspace(root: Path, orl_photos: list[tuple[str, bytes]]) -> Workspace:
    """Create the workspace in a folder."""
    rows = {
        name(person, photo): _face(orl_photos[10 * person + photo], fallback=(person, photo) == (0, 0))
        for person in range(PEOPLE)
        for photo in range(PHOTOS)
    }
    space = Workspace(root, _pairs({n: row["image_id"] for n, row in rows.items()}), {})
    space = replace(space, ids={n: row["image_id"] for n, row in rows.items()})
    space.with_faces(list(rows.values()))
    for key in ("pairs", "identities"):
        space.paths[key].parent.mkdir(parents=True)
    pd.DataFrame({"image_id": []}, dtype="str").to_parquet(space.paths["attributes"])
    torch.manual_seed(3)
    align = parse_params((ROOT / "params.yaml").read_text()).align.model_dump(mode="json")
    card = ModelCard(
        network=NetworkCard(name="nn4_small2", embedding_size=16, image_size=96),
        align={**align, "image_size": SIDE},
    )
    save_model(
        networks.build("nn4_small2", embedding_size=16),
        card,
        weights=space.paths["weights"],
        card_path=space.paths["card"],
    )
    return space.with_pairs(space.pairs).with_trained("s39", "s40")


def _face(photo: tuple[str, bytes], *, fallback: bool) -> dict[str, Any]:
    identity, data = photo
    pixels = np.asarray(Image.open(BytesIO(data)).convert("RGB").resize((SIDE, SIDE)))
    return {
        "image_id": hashlib.sha256(data).hexdigest(),
        "identity": identity,
        "source": "orl",
        "role": "evaluate",
        "image": encode(pixels, "png"),
        "box": [0.0, 0.0, 92.0, 92.0],
        "landmarks": [[0.0, 0.0]] * 5,
        "probability": 0.0 if fallback else 0.99,
        "faces_found": int(not fallback),
        "fallback": fallback,
    }


def _pairs(ids: dict[str, str]) -> pd.DataFrame:
    """Two people per fold: 12 same and 12 different pairs."""
    rows = []
    for fold in range(PEOPLE // 2):
        a, b = 2 * fold, 2 * fold + 1
        same = [(p, i, p, j) for p in (a, b) for i in range(PHOTOS) for j in range(i)]
        different = [(a, i, b, j) for i in range(PHOTOS) for j in range(3)]
        for p, i, q, j in same + different:
            rows.append((name(p, i), name(q, j), p == q, fold))
    table = pd.DataFrame(rows, columns=["left_name", "right_name", "same", "fold"]).astype({"fold": "int32"})
    return table.assign(left=table["left_name"].map(ids), right=table["right_name"].map(ids))

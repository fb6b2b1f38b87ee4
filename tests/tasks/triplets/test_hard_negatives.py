from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from facenet.errors import ParamsInvalid
from facenet.mining.offline import Indices, anchor_positive_pairs
from tasks.params.triplets import TripletsParams
from tasks.shards import read_table
from tasks.triplets import stage
from tasks.triplets.hard_negatives import embed_faces, mine_with_embedder
from tests.tasks.train.conftest import write_faces
from tests.tasks.triplets.champion import register, write_model

CHAMPION = "models:/facenet@champion"


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory, orl_photos: list[tuple[str, bytes]]) -> Path:
    folder = tmp_path_factory.mktemp("aligned")
    write_faces(folder, orl_photos)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def params(root: Path, **changes: Any) -> TripletsParams:
    values = yaml.safe_load((root / "recipes" / "default.yaml").read_text())["triplets"]
    return TripletsParams(**{**values, "plan": "triplets", "validation_fraction": 0.0, **changes})


def people(aligned: Path) -> Indices:
    names = read_table(aligned, "faces", ["identity"]).column("identity").to_pylist()
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def mine(params: TripletsParams, aligned: Path) -> tuple[Indices, Indices, dict[str, Any]]:
    labels, rng = people(aligned), np.random.default_rng(3)
    pairs = anchor_positive_pairs(labels, max_rows=1000, rng=rng)
    rows = np.arange(len(labels))
    negatives, metrics = mine_with_embedder(params, rows, labels, pairs, rng, aligned=aligned, device="cpu")
    return pairs, negatives, metrics


@pytest.mark.parametrize(("strategy", "margin"), [("semihard", 1e-3), ("hard", 0.2), ("vgg", 0.2)])
def test_negatives_are_those_that_the_model_confuses(
    root: Path, aligned: Path, model: Path, strategy: str, margin: float
) -> None:
    expected = params(root, embedder=str(model), negatives=strategy, negatives_margin=margin)
    pairs, negatives, metrics = mine(expected, aligned)
    labels = people(aligned)
    rows = np.arange(len(labels))
    embeddings = embed_faces(model, rows, aligned=aligned, device="cpu").astype(np.float64)
    counted = {"mined": 0, "farther": 0, "random": 0}
    for (a, p), negative in zip(pairs, negatives, strict=True):
        distances = np.square(embeddings - embeddings[a]).sum(axis=1)
        others = [n for n in rows if labels[n] != labels[a]]
        least = distances[p] if strategy == "semihard" else -1
        most = distances[p] + (0 if strategy == "hard" else margin)
        allowed = [n for n in others if least < distances[n] < most]
        beyond = [n for n in others if distances[n] > distances[p]]
        if allowed:
            counted["mined"] += 1
            assert negative in allowed
        elif beyond:
            counted["farther"] += 1
            assert negative == min(beyond, key=lambda n: distances[n])
        else:
            counted["random"] += 1
            assert negative == -1
    assert {name: metrics[f"negatives_{name}"] for name in counted} == counted
    assert counted["mined"] > 5


def test_the_champion_mines_and_is_named(
    root: Path, aligned: Path, model: Path, mlflow_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, by_chance, metrics = mine(params(root, embedder=CHAMPION), aligned)
    assert (by_chance == -1).all()
    assert metrics["embedder"] == {"embedder": CHAMPION, "version": None, "digest": None}
    assert (metrics["negatives_mined"], metrics["negatives_random"]) == (0, len(by_chance))
    assert f"There is no {CHAMPION} yet, so negatives are drawn at random" in capsys.readouterr().err
    register(model, digest="of the model")
    _, mined, metrics = mine(params(root, embedder=CHAMPION), aligned)
    assert metrics["embedder"] == {"embedder": CHAMPION, "version": 1, "digest": "of the model"}
    np.testing.assert_array_equal(mined, mine(params(root, embedder=str(model)), aligned)[1])
    assert "50/50" in capsys.readouterr().err


def test_a_model_with_a_larger_input_is_rejected(root: Path, aligned: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "large", image_size=96)
    with pytest.raises(ParamsInvalid, match="76x76 px, but the network needs 96x96"):
        mine(params(root, embedder=str(model)), aligned)


def test_the_stage_plans_with_what_was_mined(
    root: Path, aligned: Path, mlflow_store: Path, model: Path, tmp_path: Path
) -> None:
    names = {name: pd.Series([], dtype="str") for name in ("left", "right", "left_name", "right_name")}
    pairs = pd.DataFrame(names).assign(same=pd.Series([], dtype=bool), fold=pd.Series([], dtype="int32"))
    pairs.to_parquet(tmp_path / "pairs.parquet")

    def run() -> tuple[dict[str, Any], pd.DataFrame]:
        report = stage.run(
            params(root, embedder=CHAMPION),
            seed=1,
            aligned=aligned,
            pairs=tmp_path / "pairs.parquet",
            target=tmp_path / "triplets",
        )
        return report, pd.read_parquet(tmp_path / "triplets" / "triplets.parquet")

    report, first = run()
    labels = people(aligned)
    assert (labels[first["anchor"]] != labels[first["negative"]]).all()
    assert report["negatives_random"] == report["rows"] == 8 * 10
    register(model, digest="d")
    report, sharpened = run()
    pd.testing.assert_frame_equal(first[["anchor", "positive"]], sharpened[["anchor", "positive"]])
    assert (labels[sharpened["anchor"]] != labels[sharpened["negative"]]).all()
    assert not first["negative"].equals(sharpened["negative"])
    assert report["negatives_mined"] + report["negatives_farther"] + report["negatives_random"] == 80
    assert report["embedder"]["version"] == 1
    pd.testing.assert_frame_equal(run()[1], sharpened)

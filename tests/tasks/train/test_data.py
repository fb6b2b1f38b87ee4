from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facenet.errors import DataInvalid
from facenet.mining.exemplars import ExemplarMiner
from facenet.mining.listed import ListedPlan
from facenet.mining.mined import MinedPlan, WholeSetMiner
from facenet.mining.pk import PKPlan
from facenet.training import ImagePlan
from tasks.shards import read_table
from tasks.train.data import (
    face_files,
    make_plan,
    read_faces,
    read_validation_pairs,
)
from tests.tasks.train.conftest import PHOTOS, plan_triplets, small_params

LOSSES = {
    "images": "softmax",
    "pk": "triplet",
    "triplets": "triplet",
    "pairs": "contrastive",
    "exemplars": "triplet",
}
TABLES = {"images": "images", "pk": "images", "triplets": "triplets", "pairs": "pairs", "exemplars": "images"}


def names(folder: Path) -> np.ndarray:
    column = read_table(folder / "data/aligned", "faces", ["identity"]).column("identity")
    return np.array(column.to_pylist())


@pytest.mark.parametrize("plan", TABLES)
def test_labels_are_people_and_rows_their_faces(workspace: Path, root: Path, plan: str) -> None:
    plan_triplets(workspace, small_params(root, triplets={"plan": plan}, train={"loss": LOSSES[plan]}))
    faces = read_faces(TABLES[plan], aligned=workspace / "data/aligned", triplets=workspace / "data/triplets")
    people = pd.read_parquet(workspace / "data/triplets/identities.parquet").query("split == 'train'")
    of_rows = names(workspace)[faces.rows]
    assert len(faces.rows) == len(set(faces.rows)) == len(people) * PHOTOS
    assert set(of_rows) == set(people["identity"])
    assert set(zip(of_rows, faces.labels, strict=True)) == set(
        zip(sorted(people["identity"]), range(len(people)), strict=True)
    )
    assert faces.identities == len(people)


@pytest.mark.parametrize(
    ("plan", "columns"), [("triplets", ["anchor", "positive", "negative"]), ("pairs", ["left", "right"])]
)
def test_groups_are_renumbered(workspace: Path, root: Path, plan: str, columns: list[str]) -> None:
    plan_triplets(workspace, small_params(root, triplets={"plan": plan}, train={"loss": LOSSES[plan]}))
    faces = read_faces(TABLES[plan], aligned=workspace / "data/aligned", triplets=workspace / "data/triplets")
    table = pd.read_parquet(workspace / f"data/triplets/{plan}.parquet")
    assert faces.groups is not None
    assert np.array_equal(faces.rows[faces.groups], table[columns].to_numpy())
    if plan == "pairs":  # what is the same is said by the labels
        same = faces.labels[faces.groups[:, 0]] == faces.labels[faces.groups[:, 1]]
        assert np.array_equal(same, table["same"].to_numpy())


@pytest.mark.parametrize(
    ("plan", "kind"),
    [("images", ImagePlan), ("pk", PKPlan), ("triplets", ListedPlan), ("pairs", ListedPlan)],
)
def test_each_plan_has_its_batches(workspace: Path, root: Path, plan: str, kind: type) -> None:
    params = small_params(root, triplets={"plan": plan}, train={"loss": LOSSES[plan]})
    plan_triplets(workspace, params)
    faces = read_faces(TABLES[plan], aligned=workspace / "data/aligned", triplets=workspace / "data/triplets")
    batches = make_plan(faces, params)
    assert isinstance(batches, kind)
    assert max(batch.max() for batch in batches.batches(1)) < len(faces.rows)


@pytest.mark.parametrize("mining", ["listed", "all"])
def test_with_mining_all_every_two_images_of_a_batch_form_a_pair(
    workspace: Path, root: Path, mining: str
) -> None:
    train = {"loss": "contrastive", "mining": mining, "batch_size": 16}
    params = small_params(root, triplets={"plan": "pairs"}, train=train)
    plan_triplets(workspace, params)
    faces = read_faces("pairs", aligned=workspace / "data/aligned", triplets=workspace / "data/triplets")
    batches = make_plan(faces, params).batches(1)
    assert params.pairs_as_listed == (mining == "listed")
    assert all(len(batch) == 16 for batch in batches) == params.pairs_as_listed
    assert all(len(set(batch)) == len(batch) for batch in batches) != params.pairs_as_listed


REMINED = {"plan": "triplets", "remine": "epoch", "max_rows": 30}
EXEMPLARS = {"plan": "exemplars", "people_per_batch": 3, "images_per_person": 4, "exemplars": 20}


@pytest.mark.parametrize(
    ("triplets", "miner", "triplets_at_most"),
    [
        (REMINED, WholeSetMiner, 30),
        (EXEMPLARS, ExemplarMiner, 3 * 6),
        ({**EXEMPLARS, "selection": "hardest"}, ExemplarMiner, 3 * 4),
        ({**EXEMPLARS, "selection": "davidsandberg", "exemplars_mode": "training"}, ExemplarMiner, 3 * 6),
    ],
)
@pytest.mark.parametrize("mining", ["listed", "semihard"])
def test_plans_that_are_mined_in_training(
    workspace: Path, root: Path, triplets: dict[str, Any], miner: type, triplets_at_most: int, mining: str
) -> None:
    train = {"loss": "triplet", "mining": mining, "margin": 0.3, "batch_size": 9}
    params = small_params(root, triplets=triplets, train=train)
    plan_triplets(workspace, params)
    faces = read_faces("images", aligned=workspace / "data/aligned", triplets=workspace / "data/triplets")
    plan = make_plan(faces, params, processes=2)
    assert isinstance(plan, MinedPlan)
    assert isinstance(plan.miner, miner)
    assert (len(plan.miner), plan.miner.margin) == (triplets_at_most, 0.3)
    assert len(plan) == triplets_at_most // 3
    assert getattr(plan.miner, "training", False) == (triplets.get("exemplars_mode") == "training")
    plan.set(1, np.array([[0, 1, 9], [0, 1, 8]]))
    (batch,) = plan.batches(1)
    assert len(batch) == (6 if mining == "listed" else 4), (
        "a loss that mines in the batch needs each image once"
    )


def test_missing_files_are_reported_with_the_stage_that_writes_them(tmp_path: Path) -> None:
    for call in (
        lambda: read_faces("images", aligned=tmp_path, triplets=tmp_path),
        lambda: read_validation_pairs(tmp_path),
    ):
        with pytest.raises(DataInvalid, match="dvc repro triplets"):
            call()
    with pytest.raises(DataInvalid, match="dvc repro align"):
        face_files(tmp_path)


def test_a_person_without_images_is_reported(workspace: Path, root: Path) -> None:
    path = workspace / "data/triplets/images.parquet"
    table = pd.read_parquet(path)
    table[table["label"] != 2].to_parquet(path)
    with pytest.raises(DataInvalid, match=r"images\.parquet has no image of 1 of 6 people, such as label 2"):
        read_faces("images", aligned=workspace / "data/aligned", triplets=workspace / "data/triplets")


@pytest.mark.parametrize("plan", ["images", "pk", "triplets", "pairs"])
def test_epochs_can_have_a_fixed_number_of_steps(workspace: Path, root: Path, plan: str) -> None:
    params = small_params(
        root, triplets={"plan": plan}, train={"loss": LOSSES[plan], "steps_per_epoch": 1000, "batch_size": 4}
    )
    plan_triplets(workspace, params)
    faces = read_faces(TABLES[plan], aligned=workspace / "data/aligned", triplets=workspace / "data/triplets")
    batches = make_plan(faces, params)
    assert len(batches) == len(batches.batches(3)) == 1000

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from facenet.errors import DataInvalid
from tasks.params.triplets import TripletsParams
from tasks.shards import FACES_SCHEMA, read_table, sort_key, write_shards
from tasks.triplets import __main__ as command
from tasks.triplets import plan as plans
from tasks.triplets import stage as triplets

TRAINING = {
    "ann": 5,
    "bob": 3,
    "cid": 1,
    "dan": 2,
    "eve": 12,
    "fay": 4,
    "gus": 2,
    "hal": 6,
    "ida": 11,
    "jon": 2,
}
EVALUATED = {"kim": 3, "lea": 2}


def params(**changes: Any) -> TripletsParams:
    values = {
        "split": "people", "validation_fraction": 0.3, "min_images": 2, "plan": "images",
        "people_per_batch": 2, "images_per_person": 3, "max_rows": 10_000, "partners": None,
        "remine": "never", "embedder": None, "negatives": "semihard", "negatives_margin": 0.2,
        "selection": "facenet", "exemplars": 1800, "exemplars_mode": "evaluation",
    }  # fmt: skip
    return TripletsParams(**{**values, **changes})


def face(identity: str, number: int, *, role: str = "train", fallback: bool = False) -> dict[str, Any]:
    return {
        "image_id": f"{identity}-{number:03d}", "identity": identity, "source": "test", "role": role,
        "image": b"not looked at", "box": [0, 0, 9, 9], "landmarks": [[1, 1]] * 5,
        "probability": 0.0 if fallback else 0.9, "faces_found": int(not fallback), "fallback": fallback,
    }  # fmt: skip


def pair(left: tuple[str, int], right: tuple[str, int], fold: int = 0) -> dict[str, Any]:
    return {
        "left": f"{left[0]}-{left[1]:03d}", "right": f"{right[0]}-{right[1]:03d}",
        "same": left[0] == right[0], "fold": fold,
        "left_name": f"{left[0]}/{left[0]}_{left[1]:04d}",
        "right_name": f"{right[0]}/{right[0]}_{right[1]:04d}",
    }  # fmt: skip


PAIRS = [pair(("kim", 0), ("kim", 1)), pair(("kim", 0), ("lea", 1))]


class Workspace:
    """A small data/ folder, and the stage run on it."""

    def __init__(self, folder: Path) -> None:
        self.aligned, self.pairs, self.target = (
            folder / "aligned",
            folder / "pairs.parquet",
            folder / "triplets",
        )
        rows = [face(name, n) for name, count in TRAINING.items() for n in range(count)]
        rows += [face(name, n, role="evaluate") for name, count in EVALUATED.items() for n in range(count)]
        self.write(rows, PAIRS)

    def write(self, rows: list[dict[str, Any]], pairs: list[dict[str, Any]]) -> None:
        rows = sorted(rows, key=lambda row: sort_key(row, 4))
        write_shards(self.aligned, "faces", FACES_SCHEMA, rows, 4)
        pd.DataFrame(pairs).to_parquet(self.pairs)

    def run(
        self,
        seed: int = 0,
        overlap: bool = False,
        training: bool = True,
        looking: bool = False,
        **changes: Any,
    ) -> dict[str, Any]:
        return triplets.run(
            params(**changes), seed=seed, aligned=self.aligned, pairs=self.pairs, target=self.target,
            allow_identity_overlap=overlap, training=training, with_evaluation_pairs=looking,
        )  # fmt: skip

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.target / f"{name}.parquet")

    @property
    def identity(self) -> "pd.Series[str]":
        """The identity of each row of the faces."""
        frame: pd.DataFrame = read_table(self.aligned, "faces", ["identity"]).to_pandas()
        return frame["identity"]

    def people(self, split: str) -> set[str]:
        identities = self.table("identities")
        return set(identities["identity"][identities["split"] == split])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_people_are_split_and_counted(workspace: Workspace) -> None:
    report = workspace.run()
    identities = workspace.table("identities")
    assert list(identities.columns) == ["identity", "images", "split"]
    assert identities["identity"].tolist() == sorted(set(TRAINING) - {"cid"})
    assert identities["images"].tolist() == [TRAINING[name] for name in identities["identity"]]
    train, validation = workspace.people("train"), workspace.people("validation")
    assert (len(train), len(validation)) == (6, 3)
    assert not train & validation
    assert report["identities_train"] == 6
    assert report["identities_validation"] == 3
    assert (report["identities_dropped"], report["images_dropped"]) == (1, 1)
    assert report["images_train"] == sum(TRAINING[name] for name in train)
    assert report["images_validation"] == sum(TRAINING[name] for name in validation)
    assert report["identities_shared_with_evaluation"] == 0


def test_evaluation_pairs_are_written_if_training_evaluates_on_them(workspace: Workspace) -> None:
    workspace.run(looking=True)
    table, identity = workspace.table("evaluation_pairs"), workspace.identity
    assert [identity[row] for row in table["left"]] == ["kim", "kim"]
    assert [identity[row] for row in table["right"]] == ["kim", "lea"]
    workspace.run()
    assert not (workspace.target / "evaluation_pairs.parquet").exists()


@pytest.mark.parametrize("plan", ["images", "pk"])
def test_image_plans_hold_every_training_face_with_dense_labels(workspace: Workspace, plan: str) -> None:
    report = workspace.run(plan=plan)
    table, identity = workspace.table("images"), workspace.identity
    assert list(table.columns) == ["row", "label"]
    names = sorted(workspace.people("train"))
    expected = [row for row in range(len(identity)) if identity[row] in names]
    assert table["row"].tolist() == expected
    assert [names[label] for label in table["label"]] == [identity[row] for row in expected]
    assert report["rows"] == len(expected)
    if plan == "pk":
        assert (report["people_per_batch"], report["images_per_person"]) == (2, 3)
        assert report["batches_per_epoch"] == len(expected) // 6
        assert report["identities_with_repeated_images"] == sum(TRAINING[name] == 2 for name in names)


@pytest.mark.parametrize("changes", [{"plan": "exemplars"}, {"plan": "triplets", "remine": "epoch"}])
def test_plans_mined_in_training_are_tables_of_images(workspace: Workspace, changes: dict[str, Any]) -> None:
    workspace.run(plan="images")
    reference = workspace.table("images")
    report = workspace.run(**changes)
    pd.testing.assert_frame_equal(workspace.table("images"), reference)
    assert not (workspace.target / "triplets.parquet").exists()
    own = [TRAINING[name] for name in workspace.people("train")]
    assert report["pairs_possible"] == sum(n * (n - 1) // 2 for n in own)


def test_triplets_are_all_anchor_positive_pairs_with_another_person(workspace: Workspace) -> None:
    report = workspace.run(plan="triplets")
    table, identity = workspace.table("triplets"), workspace.identity
    train = workspace.people("train")
    expected = [
        (a, p)
        for a, p in combinations(range(len(identity)), 2)
        if identity[a] == identity[p] and identity[a] in train
    ]
    assert sorted(zip(table["anchor"], table["positive"], strict=True)) == expected
    negatives = table["negative"].map(identity)
    assert (negatives != table["anchor"].map(identity)).all()
    assert set(negatives) <= train
    assert (report["rows"], report["rows_possible"], report["rows_left_out"]) == (
        len(expected),
        len(expected),
        0,
    )


def test_pairs_are_balanced_and_of_training_people(workspace: Workspace) -> None:
    report = workspace.run(plan="pairs")
    table, identity = workspace.table("pairs"), workspace.identity
    assert (table["left"].map(identity) == table["right"].map(identity)).tolist() == table["same"].tolist()
    assert table["same"].sum() * 2 == len(table) == report["rows"]
    assert set(table["left"].map(identity)) | set(table["right"].map(identity)) <= workspace.people("train")


def test_pairs_with_partners_hold_and_leave_the_validation_pairs_unchanged(workspace: Workspace) -> None:
    workspace.run(plan="pairs")
    validation = workspace.table("validation_pairs")
    report = workspace.run(plan="pairs", partners=2)
    table, identity = workspace.table("pairs"), workspace.identity
    own = {name: TRAINING[name] for name in workspace.people("train")}
    assert table.groupby(table["left"].map(identity)).size().to_dict() == {
        name: 2 * photos * min(2, photos - 1) for name, photos in own.items()
    }
    assert (table["left"].map(identity) == table["right"].map(identity)).tolist() == table["same"].tolist()
    assert table["same"].sum() * 2 == len(table) == report["rows"] == report["rows_possible"]
    pd.testing.assert_frame_equal(workspace.table("validation_pairs"), validation)


@pytest.mark.parametrize("plan", ["triplets", "pairs"])
def test_more_rows_than_allowed_are_sampled_and_counted(workspace: Workspace, plan: str) -> None:
    report = workspace.run(plan=plan, max_rows=20)
    table = workspace.table(plan)
    assert len(table) == report["rows"] == 20
    assert not table.duplicated().any()
    assert report["rows_left_out"] == report["rows_possible"] - 20 > 0


def test_validation_pairs_are_balanced_and_of_validation_people(workspace: Workspace) -> None:
    report = workspace.run()
    table, identity = workspace.table("validation_pairs"), workspace.identity
    assert (table["left"].map(identity) == table["right"].map(identity)).tolist() == table["same"].tolist()
    assert table["same"].sum() * 2 == len(table) == report["validation_pairs"] > 0
    assert set(table["left"].map(identity)) | set(table["right"].map(identity)) <= workspace.people(
        "validation"
    )


def test_a_person_with_many_photos_does_not_dominate(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "VALIDATION_IMAGES", 2)
    workspace.run(validation_fraction=0.7)
    table, identity = workspace.table("validation_pairs"), workspace.identity
    same = table[table["same"]]
    assert same["left"].map(identity).value_counts().tolist() == [1] * len(workspace.people("validation"))


def test_validation_may_be_empty(workspace: Workspace) -> None:
    for fraction, people in ((0.0, 0), (0.11, 1)):
        report = workspace.run(validation_fraction=fraction)
        assert (report["identities_validation"], report["validation_pairs"]) == (people, 0)
        table = workspace.table("validation_pairs")
        assert list(table.columns) == ["left", "right", "same"]
        assert len(table) == 0


@pytest.mark.parametrize("plan", ["images", "pk", "triplets", "pairs"])
def test_outputs_are_the_same_bytes_again_and_others_with_another_seed(
    workspace: Workspace, plan: str
) -> None:
    outputs = []
    for seed in (1, 1, 2):
        workspace.run(seed=seed, plan=plan)
        outputs.append({path.name: path.read_bytes() for path in workspace.target.iterdir()})
    assert outputs[0] == outputs[1]
    assert outputs[0].keys() == outputs[2].keys()
    assert all(outputs[0][name] != outputs[2][name] for name in outputs[0])


def test_the_plan_of_another_run_and_leftovers_go(workspace: Workspace) -> None:
    workspace.run(plan="triplets")
    (workspace.target / ".tmp-1-images.parquet").write_text("half")
    workspace.run(plan="images")
    names = ["identities.parquet", "images.parquet", "validation_pairs.parquet"]
    assert sorted(path.name for path in workspace.target.iterdir()) == names


def test_photos_without_a_face_and_evaluated_people_do_not_train(workspace: Workspace) -> None:
    rows = [face(name, n) for name in ("ann", "bob", "dan") for n in range(4)]
    rows += [face("ann", 9, fallback=True), face("kim", 0, role="evaluate"), face("kim", 1, role="evaluate")]
    workspace.write(rows, [pair(("kim", 0), ("kim", 1))])
    report = workspace.run(validation_fraction=0.0)
    assert report["fallbacks_left_out"] == 1
    assert report["images_train"] == 12
    image_id = read_table(workspace.aligned, "faces", ["image_id"]).to_pandas()["image_id"]
    assert not set(workspace.table("images")["row"].map(image_id)) & {"ann-009", "kim-000", "kim-001"}


def leak(workspace: Workspace, fold: int, name: str = "ann") -> None:
    rows = [face(person, n) for person in ("ann", "bob", "dan") for n in range(4)]
    leaked = pair((name, 0), (name, 1), fold)
    leaked |= {"left": None, "right": None}  # the photos are lost: the name alone gives the person away
    workspace.write(rows, [pair(("kim", 0), ("lea", 1)), leaked])


@pytest.mark.parametrize("name", ["ann", "Ánn"])
def test_a_person_of_a_scored_pair_who_trains_stops_the_stage_before_it_writes(
    workspace: Workspace, name: str
) -> None:
    leak(workspace, 0, name)
    with pytest.raises(DataInvalid, match=r"\bann\b"):
        workspace.run()
    assert not workspace.target.exists()


def test_people_of_pairs_that_only_choose_the_threshold_may_train(workspace: Workspace) -> None:
    leak(workspace, -1)
    assert workspace.run()["identities_shared_with_evaluation"] == 0


def test_an_allowed_overlap_is_counted(workspace: Workspace) -> None:
    leak(workspace, 0)
    assert workspace.run(overlap=True)["identities_shared_with_evaluation"] == 1


def rows_of(**people: int) -> list[dict[str, Any]]:
    return [face(name, n) for name, count in people.items() for n in range(count)]


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        ([face("kim", 0, role="evaluate")], {}, r"none is left: of 0 people with role train"),
        (
            rows_of(ann=3, bob=1),
            {"validation_fraction": 0.0},
            r"one is left: of 2 people .* 1 have at least 2 faces",
        ),
        (
            rows_of(ann=3, bob=3),
            {"validation_fraction": 1.0},
            r"none is left: .* 2 of those are for validation",
        ),
        (
            rows_of(ann=1, bob=1),
            {"min_images": 1, "plan": "triplets", "validation_fraction": 0},
            "plan to images",
        ),
        (
            rows_of(ann=1, bob=1),
            {"min_images": 1, "plan": "pairs", "validation_fraction": 0},
            "plan to images",
        ),
        (
            rows_of(ann=3, bob=3),
            {"plan": "pk", "people_per_batch": 3, "validation_fraction": 0},
            "needs 3 people",
        ),
    ],
)
def test_too_few_people_are_named_with_what_to_do(
    workspace: Workspace, rows: list[dict[str, Any]], changes: dict[str, Any], message: str
) -> None:
    workspace.write(rows, PAIRS)
    with pytest.raises(DataInvalid, match=message):
        workspace.run(**changes)
    assert not workspace.target.exists()


def test_no_training_people_are_needed_without_training(workspace: Workspace) -> None:
    workspace.write([face("kim", 0, role="evaluate"), face("kim", 1, role="evaluate")], PAIRS)
    report = workspace.run(training=False)
    assert (report["identities_train"], report["rows"]) == (0, 0)
    assert workspace.table("images").empty
    assert workspace.table("identities").empty


def test_two_people_with_one_photo_each_are_enough_for_images(workspace: Workspace) -> None:
    workspace.write(rows_of(ann=1, bob=1), PAIRS)
    assert workspace.run(min_images=1, validation_fraction=0.0)["rows"] == 2


@pytest.mark.parametrize(
    ("missing", "command"), [("aligned", "dvc repro align"), ("pairs", "dvc repro ingest")]
)
def test_missing_inputs_name_the_stage_that_makes_them(
    workspace: Workspace, missing: str, command: str
) -> None:
    if missing == "pairs":
        workspace.pairs.unlink()
    for path in workspace.aligned.iterdir() if missing == "aligned" else ():
        path.unlink()
    with pytest.raises(DataInvalid, match=command):
        workspace.run()


def test_main_reads_params_and_writes_the_report(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    from tasks.params import load_params

    (tmp_path / "data" / "raw").mkdir(parents=True)
    made = Workspace(tmp_path / "data")
    made.pairs.rename(tmp_path / "data" / "raw" / "pairs.parquet")
    (tmp_path / "params.yaml").write_text((root / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    load_params.cache_clear()
    request.addfinalizer(load_params.cache_clear)
    command.main()
    report = json.loads((tmp_path / "reports" / "triplets.json").read_text())
    assert report["plan"] == "images"
    assert report["identities_train"] + report["identities_validation"] == 9
    assert report["seconds"] > 0
    assert (tmp_path / "data" / "triplets" / "images.parquet").exists()


def test_images_of_everyone_are_split(workspace: Workspace) -> None:
    report = workspace.run(split="images", min_images=1, validation_fraction=0.3)
    assert workspace.people("train") == set(TRAINING)
    assert not workspace.people("validation")
    images, held_out = workspace.table("images"), workspace.table("validation_images")
    both = pd.concat([images, held_out])
    assert sorted(both["row"]) == workspace.identity.index[workspace.identity.isin(list(TRAINING))].tolist()
    assert both.groupby("label")["row"].apply(lambda rows: workspace.identity[rows].nunique()).eq(1).all()
    names = workspace.identity[held_out["row"]].value_counts().to_dict()
    expected = {"ann": 2, "bob": 1, "dan": 1, "eve": 4, "fay": 2, "gus": 1, "hal": 2, "ida": 4, "jon": 1}
    assert names == expected
    assert report["images_validation"] == len(held_out) == sum(expected.values())
    assert (report["identities_train"], report["identities_validation"]) == (len(TRAINING), len(expected))
    pairs = workspace.table("validation_pairs")
    assert set(pairs["left"]) | set(pairs["right"]) <= set(held_out["row"])
    workspace.run()
    assert not (workspace.target / "validation_images.parquet").exists()

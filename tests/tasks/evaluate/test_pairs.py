"""Usable pairs, the name of the protocol, and people who are also in training."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facenet.errors import DataInvalid, PairsFileInvalid
from facenet.evaluation.unseen_people import FEWEST
from tasks.evaluate.pairs import (
    protocol_name,
    read_pairs,
    shared_identities,
    trained_people,
    without_trained,
)
from tasks.params.sources import CelebaSource, FolderSource, LfwSource, OrlSource, Source

STORED = {"a", "b", "c"}


def write(path: Path, **columns: list[object]) -> Path:
    table = pd.DataFrame(
        {
            "left": ["a", "a", "b", "c", "a", "b"],
            "right": ["b", "c", "c", None, "x", "a"],
            "same": [True, False, True, False, True, False],
            "fold": np.array([0, 0, 1, 1, -1, 1], np.int32),
            "left_name": [f"{p}/{p}_0001" for p in ("Ann", "Ann", "Bo", "Cy", "Dee", "Bo")],
            "right_name": [f"{p}/{p}_0002" for p in ("Ann", "Bo", "Bo", "Zoë", "Dee", "Ann")],
        }
    )
    table.assign(**columns).to_parquet(path)
    return path


def test_usable_pairs_keep_order_and_fold(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / "pairs.parquet"), STORED)
    assert pairs.counts() == {
        "pairs_total": 5,
        "pairs_used": 4,
        "coverage": 0.8,
        "threshold_pairs_total": 1,
        "threshold_pairs_used": 0,
        "threshold_pairs_trained": 0,
        "folds": 2,
    }
    assert pairs.photos == STORED
    assert pairs.negatives == 2
    rows = pairs.rows(["c", "a", "b"])
    assert (rows.left.tolist(), rows.right.tolist()) == ([1, 1, 2, 2], [2, 0, 0, 1])
    assert (rows.same.tolist(), rows.fold.tolist()) == ([True, False, True, False], [0, 0, 1, 1])


def test_policy_for_photos_without_a_face(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """b is a photo in which no face was found."""
    path = write(
        tmp_path / "pairs.parquet",
        left=["a", "a", "b", "c", "c", "c"],
        right=["c", "c", "c", None, "a", "a"],
        fold=np.array([0, 0, 0, 0, -1, -1], np.int32),
    )
    assert len(read_pairs(path, STORED, fallbacks={"b"}).usable) == 5
    skipped = read_pairs(path, STORED, fallbacks={"b"}, missing="skip")
    assert skipped.usable["left"].tolist() == ["a", "a", "c", "c"]
    assert skipped.left_out(STORED)["reason"].tolist() == ["no face", "no photo"]
    assert skipped.counts()["coverage"] == 0.5
    assert "2 of 6 pairs are missing a face: Bo/Bo_0001 - Bo/Bo_0002" in caplog.text
    with pytest.raises(PairsFileInvalid, match=r"2 of 6 pairs are missing a face.*evaluate\.missing"):
        read_pairs(path, STORED, fallbacks={"b"}, missing="fail")


def test_missing_columns_and_files_raise(tmp_path: Path) -> None:
    with pytest.raises(PairsFileInvalid, match="dvc repro ingest"):
        read_pairs(tmp_path / "pairs.parquet", STORED)
    path = write(tmp_path / "pairs.parquet")
    pd.read_parquet(path).drop(columns=["fold", "same"]).to_parquet(path)
    with pytest.raises(PairsFileInvalid, match="same, fold"):
        read_pairs(path, STORED)


def test_a_fold_whose_training_part_is_of_one_class_raises(tmp_path: Path) -> None:
    """Without c, whose photo is missing, fold 1 has only same pairs to choose the threshold of fold 0 on."""
    path = write(tmp_path / "pairs.parquet", right=["b", "b", "a", "a", "x", "c"])
    assert len(read_pairs(path, STORED).usable) == 5
    with pytest.raises(PairsFileInvalid, match="All 1 usable pairs outside fold 0 show the same person"):
        read_pairs(path, {"a", "b"})


def test_no_usable_pair_raises(tmp_path: Path) -> None:
    with pytest.raises(PairsFileInvalid, match=r"None of the 5 pairs.*1 stored faces"):
        read_pairs(write(tmp_path / "pairs.parquet"), {"a"})


LFW_1 = LfwSource(kind="lfw", pairs="pairsDevTest.txt", threshold_pairs="pairsDevTrain.txt")


@pytest.mark.parametrize(
    ("sources", "folds", "name"),
    [
        ([LfwSource(kind="lfw")], 10, "LFW View 2, 10 folds, unrestricted with labeled outside data"),
        ([LFW_1], 1, "LFW View 1"),
        ([LfwSource(kind="lfw", pairs="mine.txt")], 4, "LFW, mine.txt, 4 folds"),
        ([OrlSource(kind="orl")], 5, "generated pairs, 5 folds"),
        ([CelebaSource(kind="celeba", images="img")], 10, "generated pairs, 10 folds"),
        ([FolderSource(kind="folder", path="p", pairs="x/staff.txt")], 3, "pairs of staff.txt, 3 folds"),
        ([FolderSource(kind="folder", path="p"), LFW_1], 1, "LFW View 1"),
    ],
)
def test_protocol_has_its_established_name(sources: list[Source], folds: int, name: str) -> None:
    assert protocol_name(sources, folds) == name


def test_shared_identities_ignore_case_and_accents(tmp_path: Path) -> None:
    identities = tmp_path / "identities.parquet"
    people = {"ANN": "train", "Zoe": "train", "Bo": "validation", "Dee": "train", "Cyd": "train"}
    pd.DataFrame({"identity": people.keys(), "images": 2, "split": people.values()}).to_parquet(identities)
    pairs = read_pairs(write(tmp_path / "pairs.parquet"), STORED)
    trained, seen = trained_people(identities)
    assert seen - trained == {"bo"}
    shared = shared_identities(pairs, trained)
    assert shared == ["Ann", "Zoë"]  # although its photo is missing


def test_missing_identities_raise(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="dvc repro triplets"):
        trained_people(tmp_path / "identities.parquet")


def threshold_pairs(path: Path, others: int) -> Path:
    """Write one scored pair per class, and pairs of fold -1: 40 with José, and `others` per class."""
    names = [("Ann/Ann_0001", "Ann/Ann_0002", True, 0), ("Ann/Ann_0001", "JOSE/JOSE_0001", False, 0)]
    for number in range(20):
        names.append(("José/José_0001", "José/José_0002", True, -1))
        names.append((f"X{number}/X{number}_0001", "José/José_0001", False, -1))
    for number in range(others):
        names.append((f"Y{number}/Y{number}_0001", f"Y{number}/Y{number}_0002", True, -1))
        names.append((f"Y{number}/Y{number}_0001", f"Z{number}/Z{number}_0001", False, -1))
    table = pd.DataFrame(names, columns=["left_name", "right_name", "same", "fold"]).astype({"fold": "int32"})
    table.assign(left="a", right="b").to_parquet(path)
    return path


def test_pairs_of_people_trained_on_do_not_choose_the_threshold(tmp_path: Path) -> None:
    pairs = read_pairs(threshold_pairs(tmp_path / "pairs.parquet", FEWEST), STORED)
    left = without_trained(pairs, {"jose"})
    counts = left.counts()
    assert (counts["threshold_pairs_used"], counts["threshold_pairs_trained"]) == (2 * FEWEST, 40)
    assert left.left_out(STORED)["reason"].tolist() == ["trained"] * 40
    assert (counts["pairs_used"], counts["threshold_pairs_total"]) == (2, 2 * FEWEST + 40)
    names = left.usable.loc[left.usable["fold"] < 0, ["left_name", "right_name"]].to_numpy().ravel()
    assert not any("José" in name for name in names)
    assert without_trained(pairs, {"nobody"}) is pairs


def test_too_few_other_pairs_use_all_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pairs = read_pairs(threshold_pairs(tmp_path / "pairs.parquet", FEWEST - 1), STORED)
    assert without_trained(pairs, {"jose"}) is pairs
    assert "40 of 88 pairs that choose the threshold show people trained on" in caplog.text
    assert "triplets.validation_fraction" in caplog.text

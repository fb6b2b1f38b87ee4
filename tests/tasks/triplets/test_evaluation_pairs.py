"""Pairs of photos become pairs of rows."""

from pathlib import Path

import pandas as pd

from facenet.evaluation.unseen_people import FEWEST
from tasks.triplets.evaluation_pairs import evaluation_pairs

FACES = pd.DataFrame(
    {
        "image_id": ["z0", "j0", "j1", "a0", "a1", "b0"],
        "identity": ["Zoë", "José", "José", "Ann", "Ann", "Bob"],
    }
)


def written(folder: Path, rows: list[tuple[str | None, str | None, bool, int]]) -> Path:
    path = folder / "pairs.parquet"
    table = pd.DataFrame(rows, columns=["left", "right", "same", "fold"]).astype({"fold": "int32"})
    table.to_parquet(path)
    return path


def test_pairs_are_rows_in_order_and_those_without_two_faces_are_left_out(tmp_path: Path) -> None:
    rows = [("b0", "a0", False, 0), ("a1", None, True, 0), ("a0", "gone", True, 1), ("a1", "a0", True, 1)]
    table = evaluation_pairs(written(tmp_path, rows), FACES, trained=set())
    assert table.to_dict("list") == {
        "left": [5, 4],
        "right": [3, 3],
        "same": [False, True],
        "fold": [0, 1],
    }
    assert table.dtypes.astype(str).to_dict() == {
        "left": "int64",
        "right": "int64",
        "same": "bool",
        "fold": "int32",
    }


def test_trained_people_choose_no_threshold_but_are_scored(tmp_path: Path) -> None:
    strangers = [("a0", "a1", True, -1), ("a0", "b0", False, -1)] * FEWEST
    known = [("j0", "j1", True, -1), ("a0", "j0", False, -1), ("j0", "j1", True, 0)]
    table = evaluation_pairs(written(tmp_path, known + strangers), FACES, trained={"JOSE"})
    assert len(table) == len(strangers) + 1
    assert (table["left"][0], table["right"][0], table["fold"][0]) == (1, 2, 0)
    assert not {1, 2} & set(table.loc[table["fold"] < 0, ["left", "right"]].to_numpy().ravel())


def test_too_few_others_keep_them_all(tmp_path: Path) -> None:
    rows = [("j0", "j1", True, -1), ("a0", "j0", False, -1), ("a0", "b0", False, 0)]
    assert len(evaluation_pairs(written(tmp_path, rows), FACES, trained={"José"})) == 3

"""Slices by attributes on a small CelebA of real faces, against a loop over the pairs."""

import csv
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facenet.errors import DataInvalid
from tasks.evaluate.attributes import SLICES, attribute_parts, read_attributes
from tasks.ingest.stage import run as ingest
from tasks.params.evaluate import EvaluateParams
from tests.tasks.evaluate.running import evaluate
from tests.tasks.ingest.archives import write_tree
from tests.tasks.ingest.settings import ingest_params

Workspace = Any
Photos = list[tuple[str, bytes]]
PEOPLE, PHOTOS = 10, 4
NAMES = ["Smiling", *SLICES]  # no slice is by the first
ABSENT = ("000006.pgm", "000040.pgm")  # not in the list


def write_celeba(folder: Path, orl_photos: Photos) -> dict[str, list[int]]:
    """Write the photos of the workspace as a CelebA tree, and return the attributes by file name."""
    chosen = [orl_photos[10 * person + photo] for person in range(PEOPLE) for photo in range(PHOTOS)]
    names = [f"{number:06d}.pgm" for number in range(1, len(chosen) + 1)]
    write_tree(folder / "img_align_celeba", {n: data for n, (_, data) in zip(names, chosen, strict=True)})
    people = [f"{n} {person[1:]}" for n, (person, _) in zip(names, chosen, strict=True)]
    (folder / "identity_CelebA.txt").write_text("\n".join(people))
    draw = random.Random(5)
    values = {n: [draw.choice([1, -1]) for _ in NAMES] for n in names if n not in ABSENT}
    rows = [" ".join([n, *(f"{v:2d}" for v in row)]) for n, row in values.items()]
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(len(rows)), " ".join(NAMES), *rows]) + "\n")
    return values


def ingested(workspace: Workspace, orl_photos: Photos, folder: Path) -> tuple[Any, dict[str, list[int]]]:
    """Return the report of ingest on the tree, and the attributes by image_id; its table is put in place."""
    values = write_celeba(folder, orl_photos)
    source = {"kind": "celeba", "images": "img_align_celeba", "attributes": "list_attr_celeba.txt"}
    source["images"] = str(folder / "img_align_celeba")
    params = ingest_params(source, held_out_identities=4)
    report = ingest(params, seed=1, raw=folder / "raw", downloads=folder, workers=1)
    (folder / "raw" / "attributes.parquet").replace(workspace.paths["attributes"])
    paths = pd.read_parquet(folder / "raw" / "manifest.parquet").set_index("path")["image_id"]
    return report, {paths[name]: row for name, row in values.items()}


def slice_rows(workspace: Workspace) -> dict[tuple[str, str], dict[str, str]]:
    with (workspace.paths["reports"] / "slices.csv").open(newline="") as file:
        return {(row["slice"], row["part"]): row for row in csv.DictReader(file)}


def test_the_slices_equal_a_loop_over_the_pairs(
    workspace: Workspace, params: EvaluateParams, orl_photos: Photos, tmp_path: Path
) -> None:
    report, attributes = ingested(workspace, orl_photos, tmp_path / "celeba")
    assert report["attributes"] == {"photos": 38, "photos_without": 2}
    evaluate(workspace, params)
    decisions = pd.read_csv(workspace.paths["reports"] / "decisions.csv")
    ids = {row.left_name: row.left for row in workspace.pairs.itertuples()}
    ids |= {row.right_name: row.right for row in workspace.pairs.itertuples()}
    expected: dict[tuple[str, str], list[int]] = {}
    for pair in decisions.itertuples():
        left, right = (attributes.get(ids[name]) for name in (pair.left_name, pair.right_name))
        for place, name in enumerate(NAMES[1:], 1):
            kind, words = SLICES[name]
            if left is None or right is None:
                part = "unknown"
            elif left[place] == right[place]:
                part = f"{'both' if left[place] == 1 else 'neither'} {words}"
            else:
                part = f"one {words}"
            row = expected.setdefault((kind, part), [0, 0, 0, 0, 0])
            row[0] += 1
            row[1] += pair.same
            row[2] += pair.right
            row[3] += not pair.right and not pair.same
            row[4] += not pair.right and pair.same
    kinds = {kind for kind, _ in SLICES.values()}
    found = {key: row for key, row in slice_rows(workspace).items() if key[0] in kinds}
    assert len(found) == 4 * len(SLICES)
    assert found.keys() == expected.keys()
    columns = ("pairs", "same", "false_accepts", "false_rejects")
    for key, (pairs, same, hits, accepts, rejects) in expected.items():
        row = found[key]
        assert tuple(int(row[name]) for name in columns) == (pairs, same, accepts, rejects), key
        assert float(row["accuracy"]) == pytest.approx(hits / pairs, abs=1e-5)
        assert (row["low"], row["high"]) == ("", "")


def test_attributes_leave_all_other_rows_as_they_are(
    workspace: Workspace, params: EvaluateParams, orl_photos: Photos, tmp_path: Path
) -> None:
    evaluate(workspace, params)
    before = (workspace.paths["reports"] / "slices.csv").read_bytes()
    ingested(workspace, orl_photos, tmp_path / "celeba")
    evaluate(workspace, params)
    after = (workspace.paths["reports"] / "slices.csv").read_bytes()
    assert after.startswith(before)
    assert after != before


def test_a_missing_table_is_an_error_that_names_the_stage(
    workspace: Workspace, params: EvaluateParams
) -> None:
    workspace.paths["attributes"].unlink()
    with pytest.raises(DataInvalid, match=r"attributes.parquet does not exist. Run `dvc repro ingest`"):
        evaluate(workspace, params)


def test_only_the_attributes_of_slices_are_read(tmp_path: Path) -> None:
    table = {"image_id": ["a", "b"], "Bald": [True, None], "Smiling": [True, True], "Young": [False, True]}
    pd.DataFrame(table).astype({"Bald": "boolean"}).to_parquet(tmp_path / "attributes.parquet")
    read = read_attributes(tmp_path / "attributes.parquet")
    assert list(read.columns) == ["Young", "Bald"]
    assert read.index.tolist() == ["a", "b"]
    np.testing.assert_array_equal(read.to_numpy(), [[0, 1], [1, np.nan]])


def test_an_attribute_unknown_for_all_pairs_has_no_slice() -> None:
    left = pd.DataFrame({"Young": [1.0, np.nan, 0.0], "Bald": [1.0, 1.0, np.nan]})
    right = pd.DataFrame({"Young": [1.0, 1.0, 1.0], "Bald": [np.nan, np.nan, 0.0]})
    found = [(kind, part, inside.tolist()) for kind, part, inside in attribute_parts(left, right)]
    assert found == [
        ("age", "both young", [True, False, False]),
        ("age", "one young", [False, False, True]),
        ("age", "neither young", [False, False, False]),
        ("age", "unknown", [False, True, False]),
    ]

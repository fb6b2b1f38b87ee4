"""Slices computed by hand."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facenet.evaluation.distances import Floats
from facenet.evaluation.protocol import Protocol, judge, measure
from tasks.evaluate.mean import Mean
from tasks.evaluate.pairs import Pairs
from tasks.evaluate.result import Evaluation
from tasks.evaluate.slices import report_slices, thirds

NO_ATTRIBUTES = pd.DataFrame(index=pd.Index([], name="image_id", dtype="str"))


def evaluation() -> Evaluation:
    """60 people with two photos each in two folds; the two photos of P0 to P9 are dissimilar."""
    random, count = np.random.default_rng(0), 60
    people: Floats = random.normal(size=(count, 16))
    second = np.where(np.arange(count)[:, None] < 10, random.normal(size=(count, 16)), people)
    vectors = np.concatenate([people, second + random.normal(0, 0.1, second.shape)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"{letter}{person}" for letter in "ab" for person in range(count)]
    rows = []
    for person in range(count):
        other = (person + 1) % count
        rows.append((f"a{person}", f"b{person}", f"P{person}/x", f"P{person}/y", True, person % 2))
        rows.append((f"a{person}", f"b{other}", f"P{person}/x", f"P{other}/y", False, person % 2))
    table = pd.DataFrame(rows, columns=["left", "right", "left_name", "right_name", "same", "fold"])
    pairs = Pairs(table, table)
    measured = measure(vectors, pairs.rows(ids), Protocol())
    return Evaluation(
        pairs=pairs,
        measured=measured,
        result=judge(measured, Protocol()),
        image_ids=tuple(ids),
        faces=vectors.astype(np.float32),
        vectors=vectors,
        mean=Mean("none"),
        draws=10,
        seed=0,
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_thirds_do_not_split_equal_values() -> None:
    values = np.array([1.0, 2, 2, 2, 3, 9, np.nan])
    found = thirds(values)
    assert [part[0] for part in found][-1] == "unknown"
    assert sum(part[3].sum() for part in found) == 7
    for _, low, high, inside in found[:-1]:
        assert (values[inside].min(), values[inside].max()) == (low, high)
    everything = thirds(np.ones(4))
    assert [part[0] for part in everything if part[3].any()] == ["lowest third"]
    assert thirds(np.full(2, np.nan))[0][0] == "unknown"


def test_a_slice_is_defined_by_the_worse_photo(tmp_path: Path) -> None:
    result = evaluation()
    ids = pd.Index(result.image_ids, name="image_id")
    small = np.array(
        [20.0 if len(i) > 0 and i[0] == "b" and int(i[1:]) < 10 else 90 + int(i[1:]) for i in ids]
    )
    qualities = pd.DataFrame(
        {
            "side": small,
            "sharpness": 5.0,
            "brightness": 100.0,
            "turn": np.nan,
            "colour": np.where(ids.str.startswith("b"), 0.0, 30.0),
        },
        index=ids,
    )
    metrics = report_slices(result, qualities, NO_ATTRIBUTES, reports=tmp_path)
    rows = {(row["slice"], row["part"]): row for row in read(tmp_path / "slices.csv")}
    assert sum(int(row["pairs"]) for (name, _), row in rows.items() if name == "side") == 120
    lowest = rows["side", "lowest third"]
    assert float(lowest["low"]) == 20
    assert float(lowest["accuracy"]) == pytest.approx(metrics["worst_slice_accuracy"], abs=1e-5)
    assert float(rows["side", "highest third"]["accuracy"]) > float(lowest["accuracy"])
    assert [part for name, part in rows if name == "turn"] == ["unknown"]
    assert rows["colour", "one grey"]["pairs"] == "120"
    assert ("colour", "both grey") not in rows


def test_people_with_most_errors_come_first(tmp_path: Path) -> None:
    result = evaluation()
    ids = pd.Index(result.image_ids, name="image_id")
    columns = ["side", "sharpness", "brightness", "turn", "colour"]
    report_slices(result, pd.DataFrame(1.0, index=ids, columns=columns), NO_ATTRIBUTES, reports=tmp_path)
    rows = read(tmp_path / "worst_identities.csv")
    errors = {row["identity"]: int(row["errors"]) for row in rows}
    expected: dict[str, int] = {}
    for pair, right in zip(result.pairs.usable.itertuples(), result.correct, strict=True):
        for person in {pair.left_name[:-2], pair.right_name[:-2]} if not right else ():
            expected[person] = expected.get(person, 0) + 1
    assert errors == expected
    assert [int(row["errors"]) for row in rows] == sorted(errors.values(), reverse=True)
    assert all(int(row["false_accepts"]) + int(row["false_rejects"]) == int(row["errors"]) for row in rows)

"""The mean of the folds, of training photos, or none, by the number of people."""

import csv
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facenet.evaluation.sample_size import LEAST_PEOPLE
from facenet.matching import Matcher
from tasks.evaluate import mean
from tasks.evaluate.mean import choose_mean, people_outside
from tasks.evaluate.pairs import Pairs
from tasks.params.evaluate import EvaluateParams
from tests.tasks.evaluate.running import evaluate, read_embeddings

Workspace = Any


def pairs(people: int, folds: int) -> Pairs:
    """Each person with another of the same fold."""
    rows = [(f"P{n}/a", f"P{(n + folds) % people}/b", n % folds) for n in range(people)]
    table = pd.DataFrame(rows, columns=["left_name", "right_name", "fold"])
    return Pairs(table, table)


def never(photos: Any) -> Any:
    pytest.fail("embedded photos that are not needed")


@pytest.fixture
def cosine(params: EvaluateParams) -> EvaluateParams:
    return params.model_copy(update={"distance": "cosine"})


def test_people_outside_a_fold_are_counted() -> None:
    assert people_outside(pairs(40, 10)) == 36
    table = pairs(40, 10).usable
    view_1 = table.assign(fold=np.where(table["fold"] == 0, -1, 0))
    assert people_outside(Pairs(view_1, view_1)) == 4


def test_enough_people_use_the_mean_of_the_folds(cosine: EvaluateParams) -> None:
    assert choose_mean(pairs(50, 5), [], {}, cosine, never) == ("folds", LEAST_PEOPLE, None)
    assert choose_mean(pairs(45, 5), [], {}, cosine, never).source == "none"
    assert choose_mean(pairs(100, 10), [], {}, cosine, never) == ("folds", 90, None)


@pytest.mark.parametrize("change", [{"subtract_mean": False}, {"distance": "euclidean_squared"}])
def test_no_mean_where_none_is_subtracted(cosine: EvaluateParams, change: dict[str, object]) -> None:
    changed = cosine.model_copy(update=change)
    assert choose_mean(pairs(100, 10), [], {}, changed, never).source == "none"


def test_few_people_use_the_mean_of_training_photos(
    cosine: EvaluateParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mean, "PHOTOS", 50)
    training = [f"t{n:03d}" for n in range(90)][::-1]
    identities = {photo: f"T{int(photo[1:]) % LEAST_PEOPLE}" for photo in training}
    vectors = np.random.default_rng(0).normal(size=(90, 3))
    found = choose_mean(
        pairs(10, 5), training, identities, cosine, lambda photos: vectors[[int(p[1:]) for p in photos]]
    )
    assert (found.source, found.people) == ("training", LEAST_PEOPLE // 2)  # every second photo
    assert found.value is not None
    assert np.array_equal(found.value, vectors[::2].mean(axis=0))


def test_few_people_without_training_use_none(cosine: EvaluateParams) -> None:
    training = [f"t{n}" for n in range(90)]
    identities = {photo: f"T{int(photo[1:]) % (LEAST_PEOPLE - 1)}" for photo in training}
    assert choose_mean(pairs(10, 5), training, identities, cosine, never).source == "none"
    assert choose_mean(pairs(10, 5), [], {}, cosine, never).source == "none"


def test_ten_people_are_not_centred_on_themselves(workspace: Workspace, params: EvaluateParams) -> None:
    """The stage reports which mean it used; ten people without training give the metrics of no mean."""
    found = evaluate(workspace, params, distance="cosine")
    assert (found["mean_source"], found["mean_people"], found["subtract_mean"]) == ("none", 0, True)
    assert Matcher.read(workspace.paths["calibration"]).mean is None
    plain = evaluate(workspace, params, distance="cosine", subtract_mean=False)
    assert found["accuracy"] == plain["accuracy"]


def test_the_stage_subtracts_the_mean_of_training_photos(
    workspace: Workspace, params: EvaluateParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fold 4 is scored; the people of folds 0 to 3 are the training data."""
    monkeypatch.setattr(mean, "LEAST_PEOPLE", 8)
    rows = workspace.faces()
    named = {image_id: name for name, image_id in workspace.ids.items()}
    trained = {f"s{n}" for n in range(1, 9)}
    for row in rows:
        if named[row["image_id"]].partition("/")[0] in trained:
            row["role"] = "train"
    space = workspace.with_faces(rows).with_trained(*trained)
    last = space.pairs[space.pairs["fold"] == 4]
    halves = last.assign(fold=np.arange(len(last), dtype=np.int32) % 2)
    found = evaluate(space.with_pairs(halves), params, distance="cosine", all_pairs=True)
    assert (found["mean_source"], found["mean_people"]) == ("training", 8)
    matcher = Matcher.read(space.paths["calibration"])
    assert (matcher.mean_source, len(matcher.mean or ())) == ("training", 32)
    table = read_embeddings(space)
    embedded = {
        image_id: np.concatenate([face, flipped]) - matcher.mean
        for image_id, face, flipped in zip(*(c.to_pylist() for c in table.columns), strict=True)
    }
    with (space.paths["reports"] / "decisions.csv").open() as file:
        decisions = list(csv.DictReader(file))
    for row in decisions:
        a, b = (embedded[space.ids[row[side]]] for side in ("left_name", "right_name"))
        expected = 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert float(row["distance"]) == pytest.approx(expected, abs=1e-5)

"""Plans and validation pairs as tables of face rows, against naive counts."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facenet.errors import DataInvalid
from tasks.params.triplets import TripletsParams
from tasks.triplets.plan import Part, make_plan, make_validation_pairs
from tests.tasks.triplets.test_stage import params

# Five people with 1 to 12 photos; rows of the face table are neither consecutive nor sorted by person.
LABELS = np.repeat(np.arange(5), [4, 1, 12, 2, 3])[np.random.default_rng(0).permutation(22)]
TRAIN = Part(rows=np.arange(22) * 3 + 7, labels=LABELS)
PERSON = dict(zip(TRAIN.rows.tolist(), TRAIN.labels.tolist(), strict=True))
POSITIVE = {pair for pair in combinations(TRAIN.rows.tolist(), 2) if PERSON[pair[0]] == PERSON[pair[1]]}


def plan(part: Part = TRAIN, seed: int = 0, **changes: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    settings: TripletsParams = params(**changes)
    return make_plan(settings, part, np.random.default_rng(seed), aligned=Path("unused"), device="cpu")


def test_images_are_rows_with_labels() -> None:
    table, metrics = plan()
    assert table["row"].tolist() == TRAIN.rows.tolist()
    assert table["label"].tolist() == LABELS.tolist()
    assert metrics == {}


def test_pk_counts_people_who_are_skipped_or_repeat_photos() -> None:
    table, metrics = plan(plan="pk", people_per_batch=2, images_per_person=4)
    assert len(table) == 22
    assert metrics == {
        "people_per_batch": 2,
        "images_per_person": 4,
        "batches_per_epoch": 21 // 8,
        "identities_with_one_image": 1,
        "identities_with_repeated_images": 2,
    }


@pytest.mark.parametrize("changes", [{"plan": "exemplars"}, {"plan": "triplets", "remine": "epoch"}])
def test_plans_mined_in_training_are_images_with_the_number_of_pairs(changes: dict[str, Any]) -> None:
    table, metrics = plan(**changes)
    assert list(table.columns) == ["row", "label"]
    assert metrics == {"pairs_possible": len(POSITIVE)}


def test_triplets_are_every_positive_pair_with_another_person() -> None:
    table, metrics = plan(plan="triplets")
    assert set(zip(table["anchor"], table["positive"], strict=True)) == POSITIVE
    assert all(PERSON[a] != PERSON[n] for a, n in zip(table["anchor"], table["negative"], strict=True))
    assert metrics == {"rows_possible": len(POSITIVE), "rows_left_out": 0}


def test_triplets_above_the_limit_are_a_sample() -> None:
    table, metrics = plan(plan="triplets", max_rows=20)
    assert len(table) == 20
    assert set(zip(table["anchor"], table["positive"], strict=True)) <= POSITIVE
    assert metrics == {"rows_possible": len(POSITIVE), "rows_left_out": len(POSITIVE) - 20}


def test_pairs_are_balanced_and_their_label_is_true() -> None:
    table, metrics = plan(plan="pairs", max_rows=30)
    same = [PERSON[left] == PERSON[right] for left, right in zip(table["left"], table["right"], strict=True)]
    assert table["same"].tolist() == same
    assert sum(same) == 15
    assert metrics == {"rows_possible": 2 * len(POSITIVE), "rows_left_out": 2 * len(POSITIVE) - 30}


@pytest.mark.parametrize(("partners", "possible"), [(1, 2 * 21), (3, 2 * (4 * 3 + 12 * 3 + 2 * 1 + 3 * 2))])
def test_every_photo_has_as_many_same_as_different_partners(partners: int, possible: int) -> None:
    table, metrics = plan(plan="pairs", partners=partners)
    same = [PERSON[left] == PERSON[right] for left, right in zip(table["left"], table["right"], strict=True)]
    assert table["same"].tolist() == same
    assert (table["left"] != table["right"]).all()
    photos = pd.Series(LABELS).map(pd.Series(LABELS).value_counts()).to_numpy()
    expected = np.minimum(photos - 1, partners)
    for kind in (True, False):
        listed = table["left"][table["same"] == kind].value_counts().reindex(TRAIN.rows, fill_value=0)
        assert listed.tolist() == expected.tolist()
    assert len(table) == possible
    assert metrics == {"rows_possible": possible, "rows_left_out": 0}


def test_partners_above_the_limit_are_left_out_and_counted() -> None:
    table, metrics = plan(plan="pairs", partners=3, max_rows=31)
    assert (len(table), int(table["same"].sum())) == (30, 15)
    assert metrics == {"rows_possible": 112, "rows_left_out": 82}


@pytest.mark.parametrize("name", ["pk", "triplets", "pairs", "exemplars"])
def test_plans_of_pairs_need_a_person_with_two_photos(name: str) -> None:
    single = Part(rows=np.arange(4), labels=np.arange(4))
    with pytest.raises(
        DataInvalid, match=rf"Plan {name} needs people with two photos.*triplets\.plan to images"
    ):
        plan(single, plan=name)
    assert len(plan(single)[0]) == 4


def test_a_plan_depends_on_the_generator_alone() -> None:
    assert plan(plan="triplets")[0].equals(plan(plan="triplets")[0])
    assert not plan(plan="triplets")[0].equals(plan(plan="triplets", seed=1)[0])
    sets = {"plan": "pairs", "partners": 2}
    assert plan(**sets)[0].equals(plan(**sets)[0])
    assert not plan(**sets)[0].equals(plan(**sets, seed=1)[0])


def test_validation_pairs_are_balanced_and_use_at_most_ten_photos_per_person() -> None:
    table = make_validation_pairs(TRAIN, np.random.default_rng(0))
    same = [PERSON[left] == PERSON[right] for left, right in zip(table["left"], table["right"], strict=True)]
    assert table["same"].tolist() == same
    possible = 4 * 3 // 2 + 10 * 9 // 2 + 1 + 3
    assert (len(table), sum(same)) == (2 * possible, possible)
    used = {row for side in ("left", "right") for row in table[side] if PERSON[row] == 2}
    assert len(used) == 10


def test_validation_pairs_are_limited_to_two_thousand() -> None:
    many = Part(rows=np.arange(600), labels=np.repeat(np.arange(60), 10))
    table = make_validation_pairs(many, np.random.default_rng(0))
    assert (len(table), int(table["same"].sum())) == (2000, 1000)


@pytest.mark.parametrize("labels", [[], [0, 0, 0], [0, 1, 2]])
def test_there_are_no_validation_pairs_without_both_classes(labels: list[int]) -> None:
    part = Part(rows=np.arange(len(labels)), labels=np.array(labels, dtype=np.int64))
    table = make_validation_pairs(part, np.random.default_rng(0))
    assert list(table.columns) == ["left", "right", "same"]
    assert table.empty

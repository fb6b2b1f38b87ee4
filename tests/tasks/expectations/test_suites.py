"""Each expectation is broken in separate rows; the message must name these rows and no others."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.expectations import validate_faces, validate_manifest, validate_triplets
from tests.tasks.expectations.sane import (
    IDS,
    ROWS,
    faces,
    identities,
    images,
    labelled,
    manifest,
    message,
    pairs,
    triplets,
)


def rows_by_rule(text: str, key: str) -> dict[str, set[str]]:
    """Return, of a message, the value of `key` in the rows listed below each "column: rule"."""
    listed: dict[str, set[str]] = {}
    for line in text.splitlines():
        if found := re.match(r"\* suite \w+, column (.*) \(expect_\w+\)", line):
            rows = listed.setdefault(found[1], set())
        elif found := re.search(rf"\b{key}='?([^',]*)'?", line):
            rows.add(found[1])
    return listed


Cases = dict[
    str, tuple[dict[str, Any], list[str]]
]  # name of a row: the cells to break, the rules that must say so


def rows_by_case(cases: Cases) -> dict[str, set[str]]:
    rules = sorted({rule for _, broken in cases.values() for rule in broken})
    return {rule: {name for name, (_, broken) in cases.items() if rule in broken} for rule in rules}


@pytest.fixture
def all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that list every row."""
    from tasks.expectations import validation

    monkeypatch.setattr(validation, "SHOWN", 10**6)


MANIFEST: Cases = {
    "status is null": ({"status": None}, ["status: is not null", "reason: a rejected file has a reason"]),
    "image_id is null": ({"image_id": None}, ["image_id: is not null"]),
    "identity is null": ({"identity": None}, ["identity: is not null"]),
    "identity is empty": ({"identity": ""}, ["identity: is not empty"]),
    "not NFC": ({"identity": "De\u0301"}, ["identity and identity_nfc: names are in Unicode form NFC"]),
    "source is null": ({"source": None}, ["source: is not null"]),
    "role is null": ({"role": None}, ["role: is not null"]),
    "role is unknown": ({"role": "test"}, ["role: is a known role"]),
    "mode is null": ({"mode": None}, ["mode: is not null"]),
    "no sha256": ({"image_id": "abc"}, ["image_id: is a sha256"]),
    "twin": ({"image_id": "a" * 64}, ["image_id: identical files are kept once"]),
    "other twin": ({"image_id": "a" * 64}, ["image_id: identical files are kept once"]),
    "width is null": ({"width": None}, ["width: is not null"]),
    "width is zero": ({"width": 0}, ["width: is positive"]),
    "height is null": ({"height": None}, ["height: is not null"]),
    "height is negative": ({"height": -1}, ["height: is positive"]),
    "bytes is null": ({"bytes": None}, ["bytes: is not null"]),
    "bytes is zero": ({"bytes": 0}, ["bytes: is positive"]),
    "reason is null": ({"status": "duplicate"}, ["reason: a rejected file has a reason"]),
    "reason is empty": ({"status": "duplicate", "reason": ""}, ["reason: a rejected file has a reason"]),
    "twin of a rejected file": ({"image_id": "f" * 64}, []),
    "corrupt, nothing known": (
        {"status": "corrupt", "reason": "x", "width": None, "height": None, "mode": None, "role": None},
        [],
    ),
}


def test_each_expectation_about_the_manifest_names_its_rows_and_no_other(all_rows: None) -> None:
    good = manifest().iloc[0].to_dict()
    broken = [
        good | {"image_id": f"{number + 100:064x}", "path": name} | cells
        for number, (name, (cells, _)) in enumerate(MANIFEST.items())
    ]
    text = message(lambda: validate_manifest(pd.concat([manifest(), pd.DataFrame(broken, dtype=object)])))
    assert rows_by_rule(text, "path") == rows_by_case(MANIFEST)
    nowhere = pd.concat([manifest(), pd.DataFrame([good | {"path": None, "image_id": "b" * 64}])])
    assert "suite manifest, column path: is not null" in message(lambda: validate_manifest(nowhere))


def test_manifest_without_a_kept_photo() -> None:
    table = manifest().assign(status="corrupt", reason="cut off")
    rule = "suite manifest: at least one photo is kept (expect_table_row_count_to_be_between): found 0"
    assert rule in message(lambda: validate_manifest(table))


PAIRS: Cases = {
    "same is null": ({"same": None}, ["same: is not null"]),
    "fold is null": ({"fold": None}, ["fold: is not null"]),
    "fold is -2": ({"fold": -2}, ["fold: is a scored fold, or -1"]),
    "one photo": ({"right_name": "one photo"}, ["two_photos: a photo is not compared with itself"]),
    "label": (
        {"same": False},
        ["same and same_identity: the label matches the identities of the photos"],
    ),
    "left unknown": ({"left": "0" * 63 + "z"}, ["left_kept: the photo is in the manifest and kept"]),
    "right rejected": ({"right": "f" * 64}, ["right_kept: the photo is in the manifest and kept"]),
    "left trains": (
        {"left": IDS[0], "same": False},
        ["left_trains: a photo in a scored pair is not trained on"],
    ),
    "right trains": (
        {"right": IDS[4], "same": False},
        ["right_trains: a photo in a scored pair is not trained on"],
    ),
    "left is missing": ({"left": None}, []),
    "threshold": ({"left": IDS[0], "right": IDS[1], "fold": -1}, []),
}


def test_each_expectation_about_pairs_names_its_rows_and_no_other(all_rows: None) -> None:
    good = pairs().iloc[0].to_dict()
    broken = [good | {"left_name": name} | cells for name, (cells, _) in PAIRS.items()]
    table = pd.concat([pairs(), pd.DataFrame(broken, dtype=object)])
    text = message(lambda: validate_manifest(manifest(), pairs=table))
    assert rows_by_rule(text, "left_name") == rows_by_case(PAIRS)
    for name in ("left_name", "right_name"):
        nameless = pd.concat([pairs(), pd.DataFrame([good | {name: None}])])
        assert f"column {name}: is not null" in message(
            lambda t=nameless: validate_manifest(manifest(), pairs=t)
        )


def test_pairs_need_a_scored_fold() -> None:
    table = pairs().assign(fold=-1)
    assert "at least one fold is scored" in message(lambda: validate_manifest(manifest(), pairs=table))


def test_a_scored_photo_may_train_if_overlap_is_allowed() -> None:
    table = pairs().assign(left=IDS[0], right=IDS[1], same=True)
    assert "is not trained on" in message(lambda: validate_manifest(manifest(), pairs=table))
    validate_manifest(manifest(), pairs=table, allow_identity_overlap=True)


def test_the_label_of_a_photo_with_two_names_is_not_judged() -> None:
    also = (
        manifest()
        .iloc[[6]]
        .assign(identity="Dé", path="Dé/copy.jpg", status="duplicate", reason="as Cy/6.jpg")
    )
    table = pairs().assign(same=[True, True, False, True])
    assert "the label" in message(lambda: validate_manifest(manifest(), pairs=table))
    validate_manifest(pd.concat([manifest(), also]), pairs=table)


BOX, FIVE = "box_numbers: a box is four finite numbers", "landmark_numbers: a face has five finite landmarks"
NOT_IMPROBABLE = "fallback and improbable: fallback if and only if the probability is 0"
NOT_EMPTY = "fallback and nothing_found: fallback if and only if no face was found"
FALLBACK = ["role: a photo without a face is not trained on", "landmark_numbers: a fallback has no landmarks"]
FACES: Cases = {
    "identity is null": ({"identity": None}, ["identity: is not null"]),
    "source is null": ({"source": None}, ["source: is not null"]),
    "role is unknown": ({"role": "test"}, ["role: is a known role"]),
    "box is null": ({"box": None}, [BOX]),
    "box of three": ({"box": [1.0, 2.0, 3.0]}, [BOX]),
    "box is empty": ({"box": []}, [BOX]),
    "box is infinite": ({"box": [1.0, 2.0, np.inf, 4.0]}, [BOX]),
    "no width": ({"box": [60.0, 20.0, 10.0, 80.0]}, ["x1 and x0: a box has a width"]),
    "no height": ({"box": [10.0, 80.0, 60.0, 80.0]}, ["y1 and y0: a box has a height"]),
    "above 1": ({"probability": 1.01}, ["probability: is a probability"]),
    "below 0": ({"probability": -0.01}, ["probability: is a probability"]),
    "no number": ({"probability": np.nan}, ["probability: is not null"]),
    "minus one": ({"faces_found": -1}, ["faces_found: is a count"]),
    "fallback trains": (
        {"fallback": True},
        [*FALLBACK, NOT_IMPROBABLE, NOT_EMPTY],
    ),
    "probability 0": ({"probability": 0.0}, [NOT_IMPROBABLE]),
    "none found": ({"faces_found": 0}, [NOT_EMPTY]),
    "no landmarks": ({"landmarks": None}, [FIVE]),
    "nine numbers": ({"landmarks": [[1.0, 2.0]] * 4 + [[1.0, np.nan]]}, [FIVE]),
}


def test_each_expectation_about_faces_names_its_rows_and_no_other(all_rows: None) -> None:
    good = faces().iloc[0].to_dict()
    broken = [good | {"image_id": name} | cells for name, (cells, _) in FACES.items()]
    text = message(lambda: validate_faces(pd.concat([faces(), pd.DataFrame(broken)])))
    assert rows_by_rule(text, "image_id") == rows_by_case(FACES)


def test_a_photo_has_one_face_and_an_id() -> None:
    twice = pd.concat([faces(), faces().iloc[[3]], faces().iloc[[4]].assign(image_id=None)])
    listed = rows_by_rule(message(lambda: validate_faces(twice)), "image_id")
    assert listed == {"image_id: a photo has one face": {IDS[3]}, "image_id: is not null": {"None"}}


def test_no_faces_at_all() -> None:
    assert "suite faces: there is at least one face" in message(lambda: validate_faces(faces().iloc[:0]))


LEAK = "is_evaluated: LEAK: no evaluation person is trained on"
IDENTITIES: Cases = {
    "Ivy": ({"images": None}, ["images: is not null"]),
    "Fay": ({"split": None}, ["split: is not null"]),
    "Guy": ({"split": "test"}, ["split: is a known split"]),
    "Hal": ({"images": 0}, ["images: is positive"]),
    "Ada": ({}, ["identity: a person is in one split"]),
    "Cy": ({}, [LEAK]),
    "c.Y": ({}, [LEAK]),
    "DE": ({}, [LEAK]),
    "Cyd": ({}, []),
}


def test_each_expectation_about_identities_names_its_rows_and_no_other(all_rows: None) -> None:
    broken = [
        {"identity": name, "images": 1, "split": "train"} | cells for name, (cells, _) in IDENTITIES.items()
    ]
    table = pd.concat([identities(), pd.DataFrame(broken)])
    text = message(lambda: validate_triplets(table, pd.DataFrame(), ["Cy", "Dé"]))
    assert rows_by_rule(text, "identity") == rows_by_case(IDENTITIES)


PLAN: Cases = {
    "3": ({"anchor": None}, ["anchor: is not null"]),
    "4": ({"negative": -1}, ["negative: is a row number", "negative_in_faces: is a row of the faces"]),
    "5": ({"negative": 14}, ["negative_in_faces: is a row of the faces"]),
    "6": ({"negative": 6}, ["negative_known: is a face of a person in identities"]),
    "7": ({"positive": 0}, ["another_photo: anchor and positive are two photos"]),
    "8": ({"positive": 3}, ["anchor_identity and positive_identity: anchor and positive show one person"]),
    "9": ({"negative": 2}, ["another_person: the negative shows another person"]),
    "10": ({"negative": 12}, ["negative_split and split: is a face of the plan's split"]),
}


IMAGES: Cases = {
    "4": ({"row": 0}, ["row: a face is in the plan once"]),
    "5": ({"row": -1}, ["row: is a row number", "row_in_faces: is a row of the faces"]),
    "6": ({"row": 14}, ["row_in_faces: is a row of the faces"]),
    "7": ({"row": 6, "label": 2}, ["row_known: is a face of a person in identities"]),
    "8": ({"row": 12, "label": 3}, ["row_split and split: is a face of the plan's split"]),
    "9": ({"row": 7, "label": -1}, ["label: is a label", "row_known: is a face of a person in identities"]),
}


def test_each_expectation_about_images_names_its_rows_and_no_other(all_rows: None) -> None:
    plan = pd.concat(
        [images(), pd.DataFrame([{"row": 5, "label": 1} | cells for cells, _ in IMAGES.values()])]
    )
    plan.iloc[4, 1] = 0
    listed = rows_by_rule(
        message(lambda: validate_triplets(identities(), plan, [], row_identities=ROWS)), "number"
    )
    expected = rows_by_case(IMAGES)
    expected["row: a face is in the plan once"].add("0")
    expected["labels_of_person: a person has one label"] = {"7", "9"}  # Cy is 2 and -1
    assert listed == expected


def test_labels_and_people_of_a_plan_belong_together(all_rows: None) -> None:
    plan = pd.DataFrame({"row": [0, 1, 3, 4], "label": [0, 1, 1, 1]})
    listed = rows_by_rule(
        message(lambda: validate_triplets(identities(), plan, [], row_identities=ROWS)), "number"
    )
    assert listed == {
        "people_of_label: a label stands for one person": {"1", "2", "3"},
        "labels_of_person: a person has one label": {"0", "1"},
    }


def test_each_expectation_about_triplets_names_its_rows_and_no_other(all_rows: None) -> None:
    good = triplets().iloc[0].to_dict()
    plan = pd.concat([triplets(), pd.DataFrame([good | cells for cells, _ in PLAN.values()])])
    text = message(lambda: validate_triplets(identities(), plan, [], row_identities=ROWS))
    assert rows_by_rule(text, "number") == rows_by_case(PLAN)


LABELLED: Cases = {
    "4": ({"same": None}, ["same: is not null"]),
    "5": ({"left": -3}, ["left: is a row number", "left_in_faces: is a row of the faces"]),
    "6": ({"right": 99}, ["right_in_faces: is a row of the faces"]),
    "7": ({"right": 3}, ["same and same_identity: the label matches the identities of the rows"]),
    "8": ({"same": False, "right": 11}, ["right_known: is a face of a person in identities"]),
}


def test_each_expectation_about_labelled_pairs_names_its_rows_and_no_other(all_rows: None) -> None:
    good = labelled().iloc[0].to_dict()
    plan = pd.concat(
        [labelled(), pd.DataFrame([good | cells for cells, _ in LABELLED.values()], dtype=object)]
    )
    listed = rows_by_rule(
        message(lambda: validate_triplets(identities(), plan, [], row_identities=ROWS)), "number"
    )
    assert listed.pop("same: half of the pairs are same pairs") == set()
    assert listed == rows_by_case(LABELLED)


def test_labels_must_be_balanced() -> None:
    text = message(lambda: validate_triplets(identities(), labelled().iloc[[0, 0, 2, 2, 1]], []))
    assert "suite plan, column same: half of the pairs are same pairs" in text
    assert "found 0.8" in text


def test_an_empty_training_set_is_valid() -> None:
    empty = identities().iloc[:0]
    for plan in (pd.DataFrame(), triplets().iloc[:0], labelled().iloc[:0], images().iloc[:0]):
        validate_triplets(empty, plan, ["Cy"], row_identities=ROWS)


def test_whole_photos_have_no_landmarks() -> None:
    whole = faces().assign(landmarks=None)
    whole = whole[~whole["fallback"]]
    validate_faces(whole)
    mixed = pd.concat([whole.iloc[:1], faces().iloc[1:]])
    assert FIVE in message(lambda: validate_faces(mixed))

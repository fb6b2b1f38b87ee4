"""Section triplets: ranges, unknown keys, and keys that contradict each other."""

from typing import Any

import pytest

from tests.tasks.params.changed import parsed, refusal, refused, unknown

REMINED = {"triplets.plan": "triplets", "triplets.remine": "epoch"}


@pytest.mark.parametrize(
    ("plan", "table"),
    [("images", "images"), ("pk", "images"), ("exemplars", "images"), ("triplets", "triplets")],
)
def test_the_table_of_each_plan(plan: str, table: str) -> None:
    loss = "triplet" if plan != "images" else "cosface"
    assert parsed({"train.loss": loss, "triplets.plan": plan}).triplets.table == table


def test_the_table_of_pairs_and_of_remined_triplets() -> None:
    pairs = {"train.loss": "contrastive", "triplets.plan": "pairs"}
    assert parsed(pairs).triplets.table == "pairs"
    assert parsed(REMINED | {"train.loss": "triplet"}).triplets.table == "images"


def test_partners_are_listed_in_pairs_only() -> None:
    pairs = {"train.loss": "contrastive", "triplets.plan": "pairs", "triplets.partners": 3}
    assert parsed(pairs).triplets.partners == 3
    message = refusal({"train.loss": "contrastive", "triplets.plan": "pk", "triplets.partners": 3})
    assert "partners is only valid with plan pairs, not pk" in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (REMINED | {"triplets.plan": "pk"}, "remine and embedder are only valid with plan triplets, not pk"),
        (
            {"triplets.plan": "exemplars", "triplets.embedder": "models"},
            "remine and embedder are only valid with plan triplets, not exemplars",
        ),
        (REMINED | {"triplets.embedder": "models"}, "set only one of them"),
    ],
)
def test_keys_that_contradict_each_other(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes | {"train.loss": "triplet"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("split", "photos"),
        ("validation_fraction", 1.1),
        ("validation_fraction", -0.1),
        ("min_images", 0),
        ("plan", "all"),
        ("people_per_batch", 1),
        ("images_per_person", 1),
        ("max_rows", 0),
        ("partners", 0),
        ("partners", "all"),
        ("remine", "step"),
        ("embedder", 3),
        ("negatives", "easy"),
        ("negatives_margin", 0),
        ("selection", "openface"),
        ("exemplars", 2),
        ("exemplars_mode", "both"),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: Any) -> None:
    refused(f"triplets.{key}", value)


def test_unknown_keys_are_refused() -> None:
    unknown("triplets")


def test_a_split_by_images_needs_a_classification() -> None:
    assert parsed({"triplets.split": "images"}).triplets.split == "images"
    for changes in ({"train.loss": "triplet", "triplets.plan": "pk"}, {"triplets.plan": "triplets"}):
        message = refusal({"triplets.split": "images", **changes})
        assert "split images requires a classification loss and triplets.plan images or pk" in message

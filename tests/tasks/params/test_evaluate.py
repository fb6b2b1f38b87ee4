"""Section evaluate: ranges, choices and unknown keys."""

from typing import Any

import pytest

from tests.tasks.params.changed import parsed, refused, unknown


def test_a_list_of_gallery_sizes_becomes_a_tuple() -> None:
    assert parsed({"evaluate.gallery_photos": [1, 2, 5]}).evaluate.gallery_photos == (1, 2, 5)
    assert parsed({"evaluate.gallery_photos": []}).evaluate.gallery_photos == ()


@pytest.mark.parametrize(("key", "values"), [("leak_similarity", (0, 1)), ("leak_photos", (0,))])
def test_values_at_the_limits_are_accepted(key: str, values: tuple[float, ...]) -> None:
    for value in values:
        assert getattr(parsed({f"evaluate.{key}": value}).evaluate, key) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("distance", "manhattan"),
        ("flip", "mirror"),
        ("subtract_mean", "sometimes"),
        ("sweep", "coarse"),
        ("far", 0),
        ("far", 1),
        ("precision", "int8"),
        ("batch_size", 0),
        ("missing", "ignore"),
        ("all_pairs", 3),
        ("bootstrap_draws", 0),
        ("gallery_photos", [0]),
        ("fpir", 0),
        ("fpir", 1.0),
        ("leak_similarity", 1.1),
        ("leak_photos", -1),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: Any) -> None:
    refused(f"evaluate.{key}", value)


def test_unknown_keys_are_refused() -> None:
    unknown("evaluate")

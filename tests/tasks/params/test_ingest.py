"""Section ingest: ranges and unknown keys; its sources are in test_sources.py."""

from typing import Any

import pytest

from tests.tasks.params.changed import parsed, refused, unknown


@pytest.mark.parametrize("value", [0, 10, "auto"])
def test_held_out_people_are_a_number_or_auto(value: Any) -> None:
    assert parsed({"ingest.held_out_identities": value}).ingest.held_out_identities == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sources", []),
        ("sources", None),
        ("held_out_identities", -1),
        ("held_out_identities", 2.5),
        ("held_out_identities", "all"),
        ("held_out_identities", True),
        ("folds", 1),
        ("pairs_per_fold", 0),
        ("min_side", 0),
        ("max_pixels", 0),
        ("max_file_bytes", 0),
        ("same_name", "maybe"),
        ("allow_identity_overlap", "maybe"),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: Any) -> None:
    refused(f"ingest.{key}", value)


def test_unknown_keys_are_refused() -> None:
    unknown("ingest")

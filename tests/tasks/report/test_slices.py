"""Slices as charts, by photo and by attribute."""

import re

import pytest

from tasks.evaluate.attributes import COUNTS
from tasks.evaluate.attributes import SLICES as ATTRIBUTES
from tasks.report.inputs import Row
from tasks.report.slices import FEWEST, PARTS, attributes, by_attribute, by_photo, slices
from tests.tasks.report.test_curves import description

EVALUATION = {"accuracy": 0.9}


def part(name: str, pairs: int, accuracy: float, kind: str = "side") -> Row:
    low, high = str(accuracy - 0.05), str(min(1.0, accuracy + 0.05))
    values = {"accuracy": str(accuracy), "accuracy_low": low, "accuracy_high": high}
    return {"slice": kind, "part": name, "pairs": str(pairs), **values}


BY_PHOTO = [
    part("lowest third", FEWEST, 0.8),
    part("highest third", FEWEST, 0.95),
    part("unknown", 2, 0.1),
    part("both grey", FEWEST, 0.9, "colour"),
]
BY_ATTRIBUTE = [
    part("both with a hat", FEWEST, 0.7, "hat"),
    part("one with a hat", FEWEST, 0.8, "hat"),
    part("neither with a hat", FEWEST, 0.95, "hat"),
    part("unknown", FEWEST, 0.1, "hat"),
    part("both bald", FEWEST - 1, 0.1, "bald"),
]


def test_slices_that_are_large_enough_are_plotted() -> None:
    svg = slices(BY_PHOTO + BY_ATTRIBUTE, EVALUATION)
    assert svg is not None
    assert description(svg) == "Lowest: face size, lowest third, 80 %."
    assert "unknown" not in svg
    assert "hat" not in svg
    assert re.search(r">face size, highest third<", svg)
    assert slices([part("unknown", 2, 0.1)], EVALUATION) is None


def test_an_attribute_is_one_row_with_a_point_for_each_part() -> None:
    svg = attributes(BY_PHOTO + BY_ATTRIBUTE, EVALUATION)
    assert svg is not None
    assert description(svg) == "Lowest: both with a hat, 70 %."
    texts = re.findall(r"<text[^>]*>([^<]+)<", svg)
    assert texts.count("hat") == 1
    assert [text for text in texts if text in PARTS] == ["both", "one", "neither"]
    assert not {"bald", "face size, lowest third", "unknown"} & set(texts)


@pytest.mark.parametrize("rows", [[], BY_PHOTO, BY_ATTRIBUTE[3:]])
def test_without_large_slices_by_attribute_there_is_no_chart(rows: list[Row]) -> None:
    assert attributes(rows, EVALUATION) is None


def test_a_chart_has_room_for_all_attributes() -> None:
    rows = [
        part(f"{count} {words}", 100, 0.9, kind)
        for kind, words in ATTRIBUTES.values()
        for count in COUNTS.values()
    ]
    svg = attributes(rows, EVALUATION)
    assert svg is not None
    height = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', svg)[1])  # type: ignore[index]
    assert height > 30 * len(ATTRIBUTES)
    assert all(re.search(f">{kind}<", svg) for kind, _ in ATTRIBUTES.values())


def test_every_slice_is_either_by_photo_or_by_attribute() -> None:
    rows = BY_PHOTO + BY_ATTRIBUTE
    assert (by_photo(rows), by_attribute(rows)) == (BY_PHOTO, BY_ATTRIBUTE)

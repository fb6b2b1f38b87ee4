"""Too few people: what ingest refuses before anything is aligned or trained, and what it says."""

import logging
from pathlib import Path
from typing import Any

import pytest

from facenet.errors import DataInvalid
from tasks.ingest.enough import Needs
from tasks.ingest.stage import run
from tests.tasks.ingest.archives import write_tree
from tests.tasks.ingest.settings import ingest_params
from tests.zoo import picture, save

TRAINING = Needs(training=True, min_images=2, validation_fraction=0.1)
GIVEN_WEIGHTS = Needs(training=False, min_images=2, validation_fraction=0.1)


def ingest(tmp_path: Path, photos: list[int], needs: Needs, **changed: Any) -> dict[str, Any]:
    """Run the stage on people with these numbers of photos, `auto` of whom are held out."""
    files = {
        f"P{person}/{number}.png": save(picture(100 * person + number), "PNG")
        for person, count in enumerate(photos)
        for number in range(1, count + 1)
    }
    role = changed.pop("role", "split")
    source = {"kind": "folder", "path": str(write_tree(tmp_path / "photos", files)), "role": role}
    params = ingest_params(source, **{"held_out_identities": "auto", **changed})
    return run(params, seed=666, raw=tmp_path / "raw", workers=1, needs=needs)


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        (
            [3] * 5,
            r"evaluation needs at least 4 people.*it has 2 people \(2 with two photos\), enough for 1",
        ),
        ([4] * 3, r"it has 1 people \(1 with two photos\), enough for 0\."),
        ([1] * 20, r"it has 0 people \(0 with two photos\), enough for 0.*\n.*of 20 people, 0 have as many"),
        ([9], r"it has 0 .*\n.*of 1 people, 1 have as many, and 0 of them are for validation"),
        ([2] * 7, r"it has 3 people .*enough for 1\."),
    ],
    ids=["five people", "three people", "one photo each", "one person", "seven people"],
)
def test_too_few_people_are_refused_with_what_is_needed(
    tmp_path: Path, photos: list[int], message: str
) -> None:
    with pytest.raises(DataInvalid, match=message) as raised:
        ingest(tmp_path, photos, TRAINING)
    for advice in (
        "8 people with two photos",
        "train.init",
        "train.epochs to 0",
        "ingest.held_out_identities",
    ):
        assert advice in str(raised.value)
    assert not (tmp_path / "raw" / "manifest.parquet").exists()


def test_eight_people_with_two_photos_are_enough(tmp_path: Path) -> None:
    report = ingest(tmp_path, [2] * 8, TRAINING)
    assert report["held_out_identities"]["count"] == 4
    assert (report["pairs"]["folds"], report["train"]["identities"]) == (2, 4)


def test_four_people_are_enough_for_given_weights(tmp_path: Path) -> None:
    report = ingest(tmp_path, [2] * 4, GIVEN_WEIGHTS, role="evaluate")
    assert (report["pairs"]["folds"], report["evaluate"]["identities"]) == (2, 4)
    with pytest.raises(DataInvalid, match=r"training needs at least 2 people with 2 photos.*of 0 people"):
        ingest(tmp_path, [2] * 4, TRAINING, role="evaluate")


def test_people_used_for_validation_are_counted(tmp_path: Path) -> None:
    needs = Needs(training=True, min_images=2, validation_fraction=0.8)
    with pytest.raises(DataInvalid, match="of 6 people, 6 have as many, and 5 of them are for validation"):
        ingest(tmp_path, [2] * 11, needs, held_out_identities=5)


def test_holding_out_too_many_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match=r"evaluation needs.*it has 0"):
        ingest(tmp_path, [3] * 12, TRAINING, held_out_identities=0)


def test_few_evaluated_people_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ingest(tmp_path, [2] * 8, TRAINING)
    assert "Only 4 people are evaluated" in caplog.text

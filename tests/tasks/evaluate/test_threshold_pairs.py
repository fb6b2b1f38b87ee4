"""Which pairs choose the threshold."""

from pathlib import Path

import pandas as pd
import pytest

from tasks.evaluate.pairs import read_pairs
from tasks.evaluate.threshold_pairs import FEWEST, MOST, without_trained

STORED = {"a", "b"}


def threshold_pairs(path: Path, strangers: int) -> Path:
    """Write one scored pair of each kind, and pairs of fold -1: 40 with José, the others of both kinds."""
    names = [("Ann/Ann_0001", "Ann/Ann_0002", True, 0), ("Ann/Ann_0001", "JOSE/JOSE_0001", False, 0)]
    for number in range(20):
        names.append(("José/José_0001", "José/José_0002", True, -1))
        names.append((f"X{number}/X{number}_0001", "José/José_0001", False, -1))
    for number in range(strangers):
        names.append((f"Y{number}/Y{number}_0001", f"Y{number}/Y{number}_0002", True, -1))
        names.append((f"Y{number}/Y{number}_0001", f"Z{number}/Z{number}_0001", False, -1))
    table = pd.DataFrame(names, columns=["left_name", "right_name", "same", "fold"]).astype({"fold": "int32"})
    table.assign(left="a", right="b").to_parquet(path)
    return path


def test_pairs_of_people_who_trained_choose_no_threshold(tmp_path: Path) -> None:
    pairs = read_pairs(threshold_pairs(tmp_path / "pairs.parquet", FEWEST), STORED)
    left = without_trained(pairs, {"jose"}, {}, seed=1)
    counts = left.counts()
    assert (counts["threshold_pairs_used"], counts["threshold_pairs_trained"]) == (2 * FEWEST, 40)
    assert left.left_out(STORED)["reason"].tolist() == ["trained"] * 40
    assert (counts["pairs_used"], counts["threshold_pairs_total"]) == (2, 2 * FEWEST + 40)
    names = left.usable.loc[left.usable["fold"] < 0, ["left_name", "right_name"]].to_numpy().ravel()
    assert not any("José" in name for name in names)
    assert without_trained(pairs, {"nobody"}, {}, seed=1) is pairs


def test_too_few_other_pairs_keep_all_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = read_pairs(threshold_pairs(tmp_path / "pairs.parquet", FEWEST - 1), STORED)
    assert without_trained(pairs, {"jose"}, {}, seed=1) is pairs
    assert "40 of 88 pairs that choose the threshold show people who trained" in caplog.text
    assert "triplets.validation_fraction" in caplog.text


def test_where_others_are_too_few_pairs_are_made_of_photos_held_out(tmp_path: Path) -> None:
    pairs = read_pairs(threshold_pairs(tmp_path / "pairs.parquet", FEWEST - 1), STORED)
    held_out = {f"{person}{number}": person for person in map(str, range(100, 140)) for number in range(3)}
    found = without_trained(pairs, {"jose"}, held_out | {"of José": "José"}, seed=1)
    made = found.usable[~found.usable.index.isin(pairs.table.index)]
    assert len(made) == found.made == 2 * 3 * 40  # each of 40 people has three pairs of one person
    assert made["same"].sum() == 3 * 40
    assert ((made["left"].str[:3] == made["right"].str[:3]) == made["same"]).all()
    assert set(made["fold"]) == {-1}
    assert "of José" not in found.photos
    counts = found.counts()
    assert counts["threshold_pairs_used"] == 2 * (FEWEST - 1) + found.made
    assert (counts["threshold_pairs_trained"], counts["threshold_pairs_made"]) == (40, found.made)
    assert found.left_out(STORED)["reason"].tolist() == ["trained"] * 40
    assert counts["pairs_used"] == 2
    again = without_trained(pairs, {"jose"}, dict(reversed(held_out.items())), seed=1)
    assert again.usable.equals(found.usable)


def test_many_photos_make_a_bounded_number_of_pairs(tmp_path: Path) -> None:
    pairs = read_pairs(threshold_pairs(tmp_path / "pairs.parquet", 0), STORED)
    held_out = {f"{person}-{number}": person for person in "abcdefgh" for number in range(40)}
    assert without_trained(pairs, {"jose"}, held_out, seed=1).made == 2 * MOST

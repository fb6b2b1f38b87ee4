from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facenet.errors import DataInvalid
from service.review.suspects import Suspect, read_suspects

P, Q, R = (letter * 64 for letter in "abc")


def _read(path: Path, *rows: dict[str, Any]) -> list[Suspect]:
    columns = {name: None for row in rows for name in row}
    pq.write_table(pa.Table.from_pylist([columns | row for row in rows]), path)
    return read_suspects(path)


def _row(kind: str, digest: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "digest": digest, "identity": "Ann", "probability": 0.5, "gain": 1.0} | more


def test_suspects_come_by_probability_times_gain(tmp_path: Path) -> None:
    found = _read(
        tmp_path / "audit.parquet",
        _row("outlier", P, probability=0.9),
        _row("outlier", Q, gain=3.0),
        _row("split", "", other_identity="Bob", probability=0.95),
    )
    assert [suspect.photos for suspect in found] == [((Q, ""),), (), ((P, ""),)]
    assert found[1].actions == ("keep", "merge")
    assert found[0].actions == ("keep", "drop", "move", "split")


def test_photos_of_a_merged_person_are_one_suspect_and_outliers_are_not(tmp_path: Path) -> None:
    merged = {"group": "7", "action": "split", "target": "Ann (2)", "other_identity": "Ann"}
    found = _read(
        tmp_path / "audit.parquet",
        _row("merged", P, photo="Ann/1.jpg", **merged),
        _row("merged", Q, photo="Ann/2.jpg", **merged | {"probability": 0.6}),
        _row("merged", R, identity="Bob", **merged),
        _row("outlier", P, **merged),
        _row("outlier", Q, **merged),
    )
    assert [(suspect.kind, len(suspect.photos)) for suspect in found] == [
        ("merged", 2), ("merged", 1), ("outlier", 1), ("outlier", 1)
    ]  # fmt: skip
    assert found[0].other == ""  # a part is compared with the rest of the same identity
    assert found[0].photos == ((P, "Ann/1.jpg"), (Q, "Ann/2.jpg"))
    assert (found[0].probability, found[0].gain) == (0.6, 1.0)


def test_the_key_is_that_of_the_finding_and_not_of_the_row(tmp_path: Path) -> None:
    path = tmp_path / "audit.parquet"
    first = _read(path, _row("outlier", P), _row("outlier", Q))
    again = _read(path, _row("outlier", Q, probability=0.8, reason="nearer to Bob"), _row("outlier", P))
    assert {suspect.key for suspect in first} == {suspect.key for suspect in again}
    assert len({suspect.key for suspect in _read(path, _row("outlier", P), _row("burst", P))}) == 2


def test_optional_columns_and_nulls_are_filled_in(tmp_path: Path) -> None:
    (found,) = _read(
        tmp_path / "audit.parquet", {"kind": "outlier", "digest": P, "identity": "Ann", "target": None}
    )
    assert (found.target, found.gain, found.probability) == ("", 1.0, 0.0)
    assert _read(tmp_path / "audit.parquet") == []


def test_a_file_that_is_missing_or_wrong_names_the_command(tmp_path: Path) -> None:
    path = tmp_path / "audit.parquet"
    with pytest.raises(DataInvalid, match=r"There is no .*audit.parquet. Run `facenet audit` first"):
        read_suspects(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(DataInvalid, match=r"cannot be read: .*Run `facenet audit` again"):
        read_suspects(path)
    with pytest.raises(DataInvalid, match=r"has no column identity"):
        _read(path, {"kind": "outlier", "digest": P})
    with pytest.raises(DataInvalid, match=r"row of kind 'outlier' names neither a photo"):
        _read(path, _row("outlier", "", other_identity="Bob"))
    with pytest.raises(DataInvalid, match=r"row of kind 'split' names neither a photo"):
        _read(path, _row("split", ""))

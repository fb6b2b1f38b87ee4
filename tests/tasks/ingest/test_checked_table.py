import json
import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.ingest.checked_table import BATCH_ROWS, read_checked, write_checked

SCHEMA = pa.schema({"name": pa.string(), "count": pa.int64()})
ROWS = [{"name": f"row {n}", "count": n} for n in range(2 * BATCH_ROWS + 1)]


def _write(folder: Path) -> Path:
    write_checked(folder / "cache" / "t.arrow", SCHEMA, "key", iter(ROWS))
    return folder / "cache" / "t.arrow"


def test_a_table_is_read_back_for_its_key_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _write(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert read_checked(path, SCHEMA, "key").to_pylist() == ROWS
        assert read_checked(path, SCHEMA, "other").num_rows == 0
        assert read_checked(tmp_path / "none.arrow", SCHEMA, "key").num_rows == 0
    assert caplog.text == ""
    assert sorted(file.name for file in path.parent.iterdir()) == ["t.arrow", "t.json"]


def _truncate(length: int) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(file.read_bytes()[:length])


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "emptied table": ("t.arrow", _truncate(0)),
    "half of the table": ("t.arrow", _truncate(1000)),
    "another table": (
        "t.arrow",
        lambda file: file.write_bytes(file.read_bytes().replace(b"row 1", b"row 2")),
    ),
    "no table": ("t.arrow", Path.unlink),
    "emptied receipt": ("t.json", _truncate(0)),
    "half of the receipt": ("t.json", _truncate(20)),
    "no receipt": ("t.json", Path.unlink),
    "receipt of another kind": ("t.json", lambda file: file.write_text("[1, 2]")),
    "receipt without a key": ("t.json", lambda file: file.write_text("{}")),
    "receipt that is not text": ("t.json", lambda file: file.write_bytes(b"\xff\xfe\x00")),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_table_counts_as_empty_with_a_warning(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path)
    file, damage = DAMAGE[name]
    damage(path.parent / file)
    with caplog.at_level(logging.WARNING):
        assert read_checked(path, SCHEMA, "key") == SCHEMA.empty_table()
    assert "t.arrow is damaged and will be rebuilt" in caplog.text
    _write(tmp_path)
    assert read_checked(path, SCHEMA, "key").num_rows == len(ROWS)


def test_a_table_of_another_schema_is_not_used(tmp_path: Path) -> None:
    path = _write(tmp_path)
    assert read_checked(path, pa.schema({"name": pa.string()}), "key").num_rows == 0


def test_half_written_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    path = _write(tmp_path)
    (path.parent / ".tmp-1-t.arrow").write_bytes(b"half")
    _write(tmp_path)
    assert len(list(path.parent.iterdir())) == 2
    assert set(json.loads(path.with_suffix(".json").read_text())) == {"key", "sha256"}

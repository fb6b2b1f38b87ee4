from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.forgetting.files import remove, rewrite_table


def test_files_folders_and_links_are_removed_but_not_what_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "file").touch()
    (tmp_path / "link").symlink_to("target")
    for name in ("folder", "link", "target/file", "gone"):
        remove(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


@pytest.mark.parametrize("suffix", ["arrow", "parquet"])
def test_rows_are_dropped_with_their_bytes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table.{suffix}"
    secret = b"a secret that nobody should find again"
    table = pa.table({"key": ["a", "b", "c"], "value": [b"1", secret, b"3"]})
    if suffix == "arrow":
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    else:
        pq.write_table(table, path, compression="none", row_group_size=2)
    assert secret in path.read_bytes()
    rewrite_table(path, lambda batch: [key != "b" for key in batch.column(0).to_pylist()])
    assert secret not in path.read_bytes()
    read = pq.read_table(path) if suffix == "parquet" else pa.ipc.open_file(path).read_all()
    assert read.to_pylist() == [row for row in table.to_pylist() if row["key"] != "b"]
    assert read.schema == table.schema

import sqlite3
from contextlib import closing
from pathlib import Path

from operations.sqlite import copy_database, is_database, is_side_file, move_artifacts


def test_a_copy_has_what_is_only_in_the_write_ahead_log(tmp_path: Path) -> None:
    source = tmp_path / "ünï #1.db"
    with closing(sqlite3.connect(source)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (7)")
        database.commit()
        side = source.with_name(source.name + "-wal")
        assert side.stat().st_size > 0
        assert is_side_file(side)
        assert not is_side_file(source)
        copy_database(source, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT x FROM t").fetchall() == [(7,)]


def test_a_file_that_only_has_such_a_name_is_kept(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("text")
    (tmp_path / "photos-wal").write_text("text")
    assert not is_database(tmp_path / "photos")
    assert not is_side_file(tmp_path / "photos-wal")


def test_only_paths_in_the_old_workspace_move(migrated_store: Path, tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.write_bytes(migrated_store.read_bytes())
    old, new = Path("/srv/a b"), Path("/srv/c")
    places = [
        "file:///srv/a%20b/mlartifacts/0",
        "/srv/a b/mlruns/0",
        "file:///srv/a%20bc/1",
        "s3://bucket/srv/a b/2",
    ]
    with closing(sqlite3.connect(database)) as store, store:
        store.executemany(
            "INSERT INTO experiments (experiment_id, name, artifact_location) VALUES (?, ?, ?)",
            [(100 + place, str(place), location) for place, location in enumerate(places)],
        )
    assert move_artifacts(database, old, new) == 2
    with closing(sqlite3.connect(database)) as store:
        rows = store.execute(
            "SELECT artifact_location FROM experiments WHERE experiment_id >= 100 ORDER BY 1"
        )
        assert [row[0] for row in rows] == sorted(
            ["file:///srv/c/mlartifacts/0", "/srv/c/mlruns/0", *places[2:]]
        )
    assert move_artifacts(tmp_path / "other.db", old, new) == 0

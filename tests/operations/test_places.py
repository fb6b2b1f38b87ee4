from pathlib import Path

from operations.folder import Folder
from operations.places import ENTRIES, files, find_places


def test_remotes_in_folders_are_found_with_local_settings(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(
        "[core]\n    remote = near\n['remote \"near\"']\n    url = ../../storage\n"
        "['remote \"far\"']\n    url = s3://bucket/%20\n"
    )
    (tmp_path / ".dvc/config.local").write_text("['remote \"disk\"']\n    url = /srv/disk\n")
    found = find_places(tmp_path, Folder(tmp_path / ".services"))
    assert found.remotes == {"near": tmp_path.parent / "storage", "disk": Path("/srv/disk")}
    names = [name for name, _ in found.entries()]
    assert names[: len(ENTRIES)] == [f"workspace/{entry}" for entry in ENTRIES]
    assert {"services/secrets.json", "services/mlflow", "remotes/near", "remotes/disk"} <= set(names)


def test_side_files_of_databases_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0rest")
    for name in ("a.db-wal", "a.db-shm", "b-wal", "c"):
        (tmp_path / name).touch()
    assert [path.name for path in files(tmp_path)] == ["a.db", "b-wal", "c"]
    assert list(files(tmp_path / "nowhere")) == []
    assert list(files(tmp_path / "c")) == [tmp_path / "c"]

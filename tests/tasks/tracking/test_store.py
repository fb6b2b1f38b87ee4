import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from tasks.tracking.store import (
    TrackingFailed,
    check_database,
    client,
    look_up,
    mlflow_errors,
    public_uri,
    sqlite_path,
    sqlite_uri,
    tracking_uri,
)


def test_the_store_is_in_the_root_of_the_workspace(
    mlflow_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tracking_uri() == f"sqlite:///{mlflow_store}/mlflow.db"
    inner = mlflow_store / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    monkeypatch.setenv("DVC_ROOT", str(mlflow_store))
    assert tracking_uri() == f"sqlite:///{mlflow_store}/mlflow.db"


def test_a_question_mark_in_the_path_is_escaped(tmp_path: Path) -> None:
    import sqlalchemy

    assert sqlite_uri(Path("/a b#1%/mlflow.db")) == "sqlite:////a b#1%/mlflow.db"
    assert sqlite_uri(Path("/a/x.db"), "aiosqlite") == "sqlite+aiosqlite:////a/x.db"
    path = tmp_path / "is it # 100%?" / "x.db"
    path.parent.mkdir()
    for name in (path, Path("/a b#1%/mlflow.db")):
        assert sqlite_path(sqlite_uri(name)) == name
        assert sqlite_path(sqlite_uri(name, "aiosqlite")) == name
    with sqlalchemy.create_engine(sqlite_uri(path)).connect():
        assert [file.name for file in path.parent.iterdir()] == ["x.db"]
    assert sqlite_path("http://127.0.0.1:5000") is None


def test_the_store_becomes_mlflow_s_default_and_the_environment_stays(
    mlflow_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    client()
    assert mlflow.get_tracking_uri() == mlflow.get_registry_uri() == tracking_uri()
    assert not {"MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"} & set(os.environ)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:10")
    client()
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == (
        "http://127.0.0.1:9",
        "http://127.0.0.1:10",
    )
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:9"


def test_the_environment_selects_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert tracking_uri() == "http://tracking:5000"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:////home/ann/project/mlflow.db", "sqlite:///mlflow.db"),
        ("sqlite:////home/ann@home/mlflow.db", "sqlite:///mlflow.db"),
        ("sqlite+pysqlite:///file:/srv/what%3F/mlflow.db?uri=true", "sqlite:///mlflow.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://ann:secret@tracking.example:443/path?token=secret", "https://tracking.example:443/path"),
        ("postgresql+psycopg2://ann:secret@db:5432/mlflow", "postgresql+psycopg2://db:5432/mlflow"),
        ("postgresql://ann:se@cret@db/mlflow", "postgresql://db/mlflow"),
    ],
)
def test_the_displayed_uri_has_no_secret_and_no_local_folder(
    monkeypatch: pytest.MonkeyPatch, uri: str, shown: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert public_uri() == shown


def test_looking_up_a_missing_object_gives_none(mlflow_store: Path) -> None:
    assert look_up(lambda mlflow: mlflow.get_run("0" * 32)) is None
    assert look_up(lambda mlflow: mlflow.get_experiment("0")).name == "Default"


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 2", b"\0" * 100])
def test_a_store_that_is_not_a_database_is_named_with_the_fix(mlflow_store: Path, content: bytes) -> None:
    (mlflow_store / "mlflow.db").write_bytes(content)
    with pytest.raises(
        TrackingFailed, match=r"mlflow\.db is not an SQLite database\. Restore it .* move it away"
    ):
        client()
    (mlflow_store / "mlflow.db").unlink()
    (mlflow_store / "mlflow.db").mkdir()
    with pytest.raises(TrackingFailed, match=r"mlflow\.db cannot be read: Is a directory\. Restore it"):
        client()


def test_a_new_store_and_other_stores_are_not_checked(
    mlflow_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mlflow_store / "mlflow.db").write_bytes(b"")
    check_database()
    (mlflow_store / "mlflow.db").unlink()
    check_database()
    for uri in ("http://127.0.0.1:9", "postgresql://db/mlflow", "sqlite://"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        check_database()


def test_errors_name_the_store_and_the_fix(mlflow_store: Path) -> None:
    with (
        pytest.raises(TrackingFailed, match=r"sqlite:///mlflow\.db says: full.*MLFLOW_TRACKING_URI"),
        mlflow_errors(),
    ):
        raise MlflowException("full")
    with (
        pytest.raises(TrackingFailed, match=r"disk is full\. Free some space there and run"),
        mlflow_errors(),
    ):
        raise MlflowException("(sqlite3.OperationalError) database or disk is full")
    with pytest.raises(TrackingFailed):
        look_up(lambda mlflow: mlflow.search_runs(["0"], "no filter at all"))


def test_a_server_that_is_down_is_an_error_within_a_minute(
    mlflow_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # the discard port, where nothing listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    start = time.monotonic()
    with pytest.raises(TrackingFailed, match=r"http://127\.0\.0\.1:9 says"):
        look_up(lambda mlflow: mlflow.get_run("0" * 32))
    assert time.monotonic() - start < 60


def test_a_client_is_quiet_even_when_it_creates_the_database(tmp_path: Path, root: Path) -> None:
    code = "from tasks.tracking.store import client; client().search_experiments()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "mlflow.db").exists()


def test_importing_these_modules_does_not_import_mlflow(root: Path) -> None:
    modules = "sys, tasks.tracking, tasks.register, tasks.promotion.aliases"
    code = f"import {modules}; sys.exit('mlflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


@pytest.mark.server
@pytest.mark.slow
def test_a_real_server_answers(
    mlflow_server: str, mlflow_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    assert "Default" in {found.name for found in client().search_experiments()}
    assert look_up(lambda mlflow: mlflow.get_run("0" * 32)) is None
    assert look_up(lambda mlflow: mlflow.get_registered_model("facenet")) is None


def test_an_error_of_the_database_is_one_line_without_its_statement(
    mlflow_store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found = client()
    with sqlite3.connect(mlflow_store / "mlflow.db") as store:
        store.execute("DROP TABLE tags")
    store.close()
    expected = r"sqlite:///mlflow\.db says: no such table: tags\. Start the server"
    with pytest.raises(TrackingFailed, match=expected) as failed, mlflow_errors():
        found.create_run("0", tags={"a": "b"})
    assert "\n" not in str(failed.value)
    assert "Traceback" not in capfd.readouterr().err

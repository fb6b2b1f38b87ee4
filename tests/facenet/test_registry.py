"""Versions are found by alias and number in a real store; what cannot be used is a clear error."""

import subprocess
import sys
from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from facenet.registry import download_version, find_version, parse_uri, read_reports, store_uri


@pytest.mark.parametrize("uri", ["models:/facenet@champion", "models:/facenet/1"])
def test_a_version_is_found_and_its_files_are_downloaded(
    champion: int, tiny_model: Path, tmp_path: Path, uri: str
) -> None:
    version = find_version(uri)
    assert version is not None
    assert (version.model, version.number) == ("facenet", champion)
    assert str(version) == "models:/facenet/1" + (" (champion)" if "@" in uri else "")
    folder = download_version(version, tmp_path)
    assert {path.name for path in folder.iterdir()} == {
        *("facenet.safetensors", "model.json", "mtcnn.safetensors"),
    }
    assert (folder / "model.json").read_bytes() == (tiny_model / "model.json").read_bytes()
    found = read_reports(version, max_bytes=1)
    assert (found.digest, len(found.run_id), found.pages) == ("", 32, ())


def test_what_the_registry_does_not_have_is_none(champion: int) -> None:
    for uri in ("models:/facenet@best", "models:/facenet/7", "models:/cats@champion", "models:/cats/1"):
        assert find_version(uri) is None, uri


@pytest.mark.parametrize(
    "uri", ["models:/facenet", "models:/facenet/0", "models:/facenet/one", "runs:/1/model", "models:/a@b/1"]
)
def test_another_form_of_uri_is_refused(uri: str) -> None:
    with pytest.raises(SourceInvalid, match="expected models:/NAME@ALIAS or models:/NAME/VERSION"):
        parse_uri(uri)


def test_the_store_is_that_of_the_variable_or_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "what? #1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert store_uri() is None
    with pytest.raises(SourceInvalid, match=r"no model registry: .*mlflow\.db"):
        find_version("models:/facenet/1")
    assert not list(folder.iterdir())
    (folder / "mlflow.db").touch()
    assert store_uri() == f"sqlite+pysqlite:///file:{tmp_path}/what%3F%20%231/mlflow.db?uri=true"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:1")
    assert store_uri() == "http://localhost:1"


def test_a_server_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(SourceInvalid, match=r"registry at http://127\.0\.0\.1:9 says: ") as caught:
        find_version("models:/facenet@champion")
    assert "secret" not in str(caught.value)


def test_without_mlflow_the_error_names_the_extra(champion: int, root: Path) -> None:
    code = """
import sys
sys.modules["mlflow"] = None
from facenet.errors import SourceInvalid
from facenet.registry import find_version
try:
    find_version("models:/facenet@champion")
except SourceInvalid as error:
    print(error)
"""
    environment = {"PYTHONPATH": str(root), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "facenet-pipeline[pipeline]" in done.stdout

"""Every kind of source leads to its folder, and no source to the best that there is."""

import shutil
from pathlib import Path

import pytest

from facenet import pretrained
from facenet.errors import SourceInvalid
from facenet.face_model import FaceModel
from facenet.model_source import PRETRAINED_ORIGIN, Origin, model_folder
from facenet.registry import RegisteredVersion


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, without a registry and a model."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_without_a_source_it_is_the_champion(champion: int, tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, "models")
    for source in (None, "models:/facenet@champion"):
        with model_folder(source) as (folder, origin):
            assert origin.words == "models:/facenet/1 (champion)"
            assert origin.place == RegisteredVersion("facenet", 1, "champion")
            assert (folder / "mtcnn.safetensors").exists()
        assert not folder.exists()
    model = FaceModel.load("models:/facenet/1", device="cpu")
    assert (model.origin, model.place) == ("models:/facenet/1", RegisteredVersion("facenet", 1))
    assert model.digest == FaceModel.load(tiny_model, device="cpu").digest


def test_without_a_champion_it_is_the_workspace_s(mlflow_store: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, mlflow_store / "models")
    with model_folder(None) as (folder, origin):
        assert folder == Path("models")
        assert origin == Origin("models/ (of this workspace)", mlflow_store / "models")


def test_without_any_it_is_the_pretrained(nowhere: Path) -> None:
    for source in (None, "pretrained"):
        with model_folder(source) as (folder, origin):
            assert (folder, origin) == (pretrained.folder(), Origin(PRETRAINED_ORIGIN, None))
    assert list(nowhere.iterdir()) == []


def test_a_folder_is_itself(nowhere: Path, tiny_model: Path) -> None:
    for source in (tiny_model, str(tiny_model), Path("pretrained")):
        with model_folder(source) as (folder, origin):
            assert (folder, origin) == (Path(source), Origin(str(source), Path(source).absolute()))


def test_what_the_registry_does_not_have_raises(champion: int) -> None:
    for uri in ("models:/facenet/7", "models:/cats@champion"):
        with pytest.raises(SourceInvalid, match=f"The registry has no {uri}"), model_folder(uri):
            pass
    with pytest.raises(SourceInvalid, match="expected models:/NAME@ALIAS"), model_folder("models:/facenet"):
        pass

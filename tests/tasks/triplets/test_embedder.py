import json
from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from facenet.model import ModelCard
from tasks.tracking import registry
from tasks.triplets import embedder
from tests.tasks.triplets.champion import register, write_model

CHAMPION = "models:/facenet@champion"


@pytest.mark.parametrize("name", ["models:facenet", "models:/facenet@", "models:/a/b", "models:/facenet"])
def test_an_invalid_name_is_rejected(mlflow_store: Path, name: str) -> None:
    with (
        pytest.raises(SourceInvalid, match=r"not a valid registry model\. Write models:/facenet@champion"),
        embedder.opened(name),
    ):
        pass


@pytest.mark.parametrize("missing", ["facenet.safetensors", "model.json"])
def test_a_folder_without_a_model_is_rejected(tmp_path: Path, missing: str) -> None:
    folder = write_model(tmp_path / "model")
    (folder / missing).unlink()
    with pytest.raises(SourceInvalid, match=r"is not a folder with facenet\.safetensors"):
        embedder.describe(str(folder))


def test_before_the_first_promotion_there_is_none(mlflow_store: Path, tmp_path: Path) -> None:
    register(write_model(tmp_path / "model"), digest="a", champion=False)
    for name in (CHAMPION, "models:/facenet/2", "models:/other@champion"):
        with embedder.opened(name) as found:
            assert found is None
        assert embedder.describe(name) == {"embedder": name, "version": None, "digest": None}


def test_a_version_is_found_by_alias_and_by_number(mlflow_store: Path, tmp_path: Path) -> None:
    models = [write_model(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    for model in models:
        register(model, digest=f"digest of {model.name}")
    for name, number in ((CHAMPION, 2), ("models:/facenet/1", 1), ("models:/facenet/2", 2)):
        with embedder.opened(name) as found:
            assert found
            folder, origin = found
            assert origin == embedder.Origin(name, number, f"digest of {number}")
            expected = models[number - 1]
            for file in ("facenet.safetensors", "model.json"):
                assert (folder / file).read_bytes() == (expected / file).read_bytes()
        assert not folder.exists()


def test_a_folder_is_used_in_place(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    digest = ModelCard.read(model / "model.json").weights_sha256
    with embedder.opened(str(model)) as found:
        assert found == (model, embedder.Origin(str(model), None, digest))


def test_a_moved_alias_is_noticed(mlflow_store: Path, tmp_path: Path) -> None:
    report = tmp_path / "triplets.json"

    def mined() -> None:
        report.write_text(json.dumps({"embedder": embedder.describe(CHAMPION)}))

    assert embedder.is_current(report), "there is no report: DVC runs the stage"
    report.write_text(json.dumps({"plan": "images"}))
    assert embedder.is_current(report), "no model has mined"
    mined()
    assert embedder.is_current(report), "there was no champion, and there is none"
    register(write_model(tmp_path / "one"), digest="a")
    assert not embedder.is_current(report)
    mined()
    assert embedder.is_current(report)
    register(write_model(tmp_path / "two", seed=2), digest="b", champion=False)
    assert embedder.is_current(report)
    registry.set_alias("facenet", "champion", 2)
    assert not embedder.is_current(report)

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facenet.errors import FaceNetError, WeightsInvalid
from facenet.face_model import FaceModel
from facenet.results import PhotoError
from service.api.metrics import Metrics
from service.api.models import Models, Source, probe, source_of
from service.api.problems import Problem
from tests.waiting import wait_for


class Registry:
    """A registry whose champion changes; `models` by version, None for a broken one."""

    def __init__(self, models: dict[str, FaceModel | None]) -> None:
        self.models, self.champion, self.loads = models, "1", 0

    def identify(self) -> str:
        return self.champion

    def load(self) -> FaceModel:
        self.loads += 1
        found = self.models[self.champion]
        if found is None:
            raise WeightsInvalid("its weights are damaged")
        return found


@pytest.fixture
def registry(face_model: FaceModel, model_folder: object) -> Registry:
    other = FaceModel.load(str(model_folder), device="cpu")
    return Registry({"1": face_model, "2": None, "3": other})


@pytest.fixture
def models(registry: Registry) -> Iterator[Models]:
    found = Models(Source(registry.load, registry.identify), metrics=Metrics(), check_seconds=0.02)
    yield found
    found.close()


def test_a_new_champion_replaces_the_old_one_while_it_answers(models: Models, registry: Registry) -> None:
    with pytest.raises(Problem, match="being loaded"):
        models.model()
    models.start()
    wait_for(lambda: models.missing() is None, 60)
    old = models.model()
    registry.champion = "3"
    wait_for(lambda: models.model() is not old, 60)
    assert models.model() is registry.models["3"]
    assert registry.loads == 2


def test_a_broken_champion_is_tried_once_and_the_old_one_stays(
    models: Models, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    models.start()
    wait_for(lambda: models.missing() is None, 60)
    old = models.model()
    registry.champion = "2"
    wait_for(lambda: "not loaded" in caplog.text, 60)
    threading.Event().wait(0.1)
    assert models.model() is old
    assert registry.loads == 2
    registry.champion = "3"
    wait_for(lambda: models.model() is not old, 60)


def test_a_champion_that_could_not_be_loaded_is_tried_again(registry: Registry) -> None:
    source = Source(registry.load, registry.identify)
    models = Models(source, metrics=Metrics(), check_seconds=0.02, retry_seconds=0.1)
    models.start()
    try:
        wait_for(lambda: models.missing() is None, 60)
        registry.champion = "2"
        wait_for(lambda: registry.loads >= 3, 60)  # the registry is away, twice
        registry.models["2"] = registry.models["3"]
        wait_for(lambda: models.model() is registry.models["3"], 60)
    finally:
        models.close()


def test_the_probe_rejects_a_model_without_numbers(face_model: FaceModel) -> None:
    probe(face_model)

    class Nothing:
        origin = "models:/faces/7"

        def embed(self, photos: object, *, fallback: bool) -> list[object]:
            (face,) = face_model.embed(photos, fallback=fallback)  # type: ignore[arg-type]
            face.embedding[:] = float("nan")  # type: ignore[union-attr,index]
            return [face]

    with pytest.raises(FaceNetError, match="models:/faces/7"):
        probe(Nothing())  # type: ignore[arg-type]


def test_what_can_change_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for fixed in ("pretrained", "models:/facenet/3", tmp_path):
        assert source_of(fixed, max_pixels=100).identify is None
    default = source_of(None, max_pixels=100)
    assert default.identify is not None
    assert default.identify() == ""  # no registry here, until there is one
    assert source_of("models:/faces@challenger", max_pixels=100).identify is not None


def test_photos_over_the_limit_of_pixels_are_not_decoded(
    model_folder: Path, photo: Callable[..., bytes]
) -> None:
    model = source_of(model_folder, max_pixels=1000).load()
    (found,) = model.embed([photo(0)])
    assert isinstance(found, PhotoError)
    assert found.reason == "too_large"

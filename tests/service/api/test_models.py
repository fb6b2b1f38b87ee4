import threading
from collections.abc import Iterator

import pytest

from facenet.errors import FaceNetError, WeightsInvalid
from facenet.face_model import FaceModel
from service.api.metrics import Metrics
from service.api.models import Models, Source, probe
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

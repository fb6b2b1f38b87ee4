from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.artifacts import download_artifacts

from tasks.tracking import TrackingFailed, registry, start_run
from tasks.tracking.registry import Version
from tasks.tracking.store import client


def save(folder: Path, model_id: str) -> None:
    folder.mkdir()
    (folder / "MLmodel").write_text(f"model_id: {model_id}\n")


@pytest.fixture
def make(mlflow_store: Path) -> Callable[..., Version]:
    def make(**tags: str) -> Version:
        run = start_run(name="trained", tags={})
        return registry.create_version("faces", run, save=save, tags=tags, metrics={"accuracy": 0.9})

    return make


def test_versions_are_numbered_and_linked_to_their_run(make: Callable[..., Version]) -> None:
    first, second = make(digest="a"), make(digest="b")
    assert (first.number, second.number) == (1, 2)
    assert registry.get_version("faces", 2) == second
    assert second.run_id != first.run_id
    assert client().get_run(second.run_id).data.metrics == {"evaluation/accuracy": 0.9}
    assert registry.get_version("faces", 3) is None
    assert registry.get_version("cats", 1) is None


def test_the_files_and_the_metrics_are_those_of_the_logged_model(
    make: Callable[..., Version], tmp_path: Path
) -> None:
    version = make(digest="a")
    found = client().get_model_version("faces", str(version.number))
    model_id = found.source.removeprefix("models:/")
    logged = client().get_logged_model(model_id)
    assert logged.status == "READY"
    assert [(metric.key, metric.value) for metric in logged.metrics] == [("evaluation/accuracy", 0.9)]
    place = download_artifacts(logged.artifact_location, dst_path=str(tmp_path))
    assert (Path(place) / "MLmodel").read_text() == f"model_id: {model_id}\n"


def test_the_newest_version_with_a_tag_is_found(make: Callable[..., Version]) -> None:
    make(digest="a")
    make(digest="b")
    newest = make(digest="a")
    assert registry.find_version("faces", "digest", "a") == newest
    assert registry.find_version("faces", "digest", "c") is None
    assert registry.find_version("cats", "digest", "a") is None


def test_aliases_move(make: Callable[..., Version]) -> None:
    assert registry.aliases("faces") == {}
    assert registry.aliased_version("faces", "champion") is None
    make()
    make()
    registry.set_alias("faces", "champion", 1)
    registry.set_alias("faces", "challenger", 2)
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1}
    registry.set_alias("faces", "champion", 2)
    moved = registry.aliased_version("faces", "champion")
    assert moved is not None
    assert (moved.number, moved.aliases) == (2, ("challenger", "champion"))
    registry.delete_alias("faces", "champion")
    registry.delete_alias("faces", "champion")
    assert registry.aliases("faces") == {"challenger": 2}
    with pytest.raises(TrackingFailed):
        registry.set_alias("faces", "champion", 9)


def test_tags_are_replaced(make: Callable[..., Version]) -> None:
    version = make(accuracy="0.9", digest="a")
    registry.tag_version("faces", version.number, {"accuracy": "0.95"})
    found = registry.get_version("faces", version.number)
    assert found is not None
    assert found.tags == {"accuracy": "0.95", "digest": "a"}


def test_a_model_that_cannot_be_saved_leaves_no_version(mlflow_store: Path) -> None:
    def fail(folder: Path, model_id: str) -> None:
        raise OSError("the disk is full")

    run = start_run(name="trained", tags={})
    with pytest.raises(OSError, match="full"):
        registry.create_version("faces", run, save=fail, tags={}, metrics={})
    assert registry.get_version("faces", 1) is None
    assert registry.aliases("faces") == {}

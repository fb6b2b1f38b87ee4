"""The REST API of a real MLflow server, next to MLflow's own client."""

from importlib.metadata import version
from pathlib import Path

import pytest

from commands.checks.server_versions import mlflow_version
from commands.checks.servers import check_mlflow
from tasks.tracking import registry, rest, start_run
from tasks.tracking.rest import NoAnswer


def save(folder: Path, model_id: str) -> None:
    folder.mkdir()
    (folder / "MLmodel").write_text(f"model_id: {model_id}\n")


def test_a_server_says_the_same_as_the_client_of_mlflow(
    mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    run = start_run(name="trained", tags={})
    made = registry.create_version("rest faces", run, save=save, tags={"digest": "ü 1"}, metrics={})
    registry.set_alias("rest faces", "challenger", made.number)
    known = registry.get_version("rest faces", made.number)
    assert known is not None
    stated = rest.model_version("rest faces", made.number)
    assert stated is not None
    assert registry.standing("rest faces", made.number) == (known.tags, known.aliases)
    assert known.aliases == ("challenger",)
    assert registry.standing("rest faces", made.number + 1) is None
    assert registry.standing("rest cats", 1) is None


def test_what_a_server_does_not_answer_is_left_to_the_client(
    mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{mlflow_server}/elsewhere")
    with pytest.raises(NoAnswer):
        rest.model_version("rest faces", 1)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(NoAnswer):
        rest.model_version("rest faces", 1)


def test_a_database_is_not_a_server(mlflow_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not rest.is_server()
    with pytest.raises(NoAnswer):
        rest.model_version("faces", 1)
    assert registry.standing("faces", 1) is None
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "https://registry.example")
    assert rest.is_server()


def test_doctor_compares_the_version_of_a_server(mlflow_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, where a server runs anyway."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    assert mlflow_version(f"{mlflow_server}/") == version("mlflow")
    assert mlflow_version(f"{mlflow_server}/elsewhere") == ""
    (finding,) = check_mlflow()
    assert (finding.state, finding.message) == (
        "ok",
        f"{mlflow_server} answers, version {version('mlflow')} as here",
    )

"""The report of exactly the model in use: on a real MLflow store, in a workspace, or none."""

import os
import shutil
from pathlib import Path

import pytest

from facenet.face_model import FaceModel
from facenet.registry import RegisteredVersion
from service.api.problems import Problem
from service.pages.report_source import MAX_BYTES, find_report
from tasks.report.page import Subject
from tasks.report.record import publish
from tasks.tracking import registry, start_run
from tasks.tracking.runs import Run
from tasks.tracking.store import client
from tests.tasks.report.conftest import REGISTRATION


@pytest.fixture
def workspace(mlflow_store: Path, evaluated: Subject) -> Path:
    """The working folder: a workspace whose stages have run, with an empty MLflow store."""
    shutil.copytree(evaluated.reports.parent, mlflow_store, dirs_exist_ok=True)
    return mlflow_store


def published(run: Run, subject: Subject, digest: str) -> int:
    """Register the workspace's model with a run, publish its report as the stage does; return the version."""

    def save(folder: Path, model_id: str) -> None:
        shutil.copytree("models", folder / registry.FILES)
        (folder / "MLmodel").write_text(f"model_id: {model_id}\n")

    version = registry.create_version("faces", run, save=save, tags={"digest": digest}, metrics={})
    stated = {"model": "faces", "version": version.number, "digest": digest, "run_id": run.run_id}
    publish(subject.params, {**REGISTRATION, **stated})
    return version.number


def refusal(model: FaceModel) -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        find_report(model)
    return caught.value.status, caught.value.message


def test_each_version_of_a_run_has_its_own_report(
    workspace: Path, evaluated: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start_run(name="trained", tags={})
    for digest in ("1" * 64, "2" * 64):
        published(run, evaluated, digest)
    first, second = (FaceModel.load(f"models:/faces/{number}", device="cpu") for number in (1, 2))
    assert first.place == RegisteredVersion("faces", 1)
    assert ("1" * 64 in find_report(first), "1" * 64 in find_report(second)) == (True, False)
    assert "2" * 64 in find_report(second)

    artifacts = Path(client().get_run(run.run_id).info.artifact_uri.removeprefix("file://"))
    (artifacts / "reports/version-1/report.html").unlink()
    (artifacts / "reports/version-2/report.html").unlink()  # as of a version registered before
    assert "2" * 64 in find_report(second)
    status, message = refusal(first)
    assert (status, "describes another model than models:/faces/1" in message) == (404, True)
    os.truncate(artifacts / "reports/report.html", MAX_BYTES + 1)
    status, message = refusal(second)
    assert (status, "more than the limit of 8,388,608" in message) == (502, True)
    (artifacts / "reports/report.html").unlink()
    status, message = refusal(first)
    assert status == 404
    assert message.startswith("The run of models:/faces/1 has no report among its artifacts. Run `dvc repro")

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    status, message = refusal(first)
    assert (status, "The registry at http://127.0.0.1:9 says: " in message) == (502, True)
    assert "secret" not in message


def test_a_workspace_has_the_report_of_the_same_weights(
    workspace: Path, evaluated: Subject, page: str, model_folder: Path
) -> None:
    path = workspace / "reports" / "report.html"
    model = FaceModel.load(None, device="cpu")
    status, message = refusal(model)
    assert (status, f"there is no {path}. Run `dvc repro register`" in message) == (404, True)
    path.write_text(page)
    assert find_report(model) == page

    shutil.rmtree("models")
    shutil.copytree(model_folder, "models")
    retrained = FaceModel.load("models", device="cpu")
    assert find_report(model) == page  # the model in use is still the old one
    status, message = refusal(retrained)
    described = f"the weights {evaluated.card.weights_sha256[:12]}"
    assert (status, f"describes {described}; the model in use has" in message) == (404, True)
    for content, reason in ((b"<p>", "describes no weights"), (b"\xff", "not UTF-8 text")):
        path.write_bytes(content)
        assert reason in refusal(retrained)[1]
    os.truncate(path, MAX_BYTES + 1)
    assert refusal(model) == (502, f"{path} has more than 8,388,608 bytes.")


def test_the_pretrained_model_has_none_and_the_command_is_named() -> None:
    status, message = refusal(FaceModel.load("pretrained", device="cpu"))
    assert (status, "`make recipe NAME=pretrained`" in message) == (404, True)

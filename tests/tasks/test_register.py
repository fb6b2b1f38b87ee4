import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import pyfunc

from facenet.errors import DataInvalid, GateFailed, SourceInvalid, WeightsInvalid
from facenet.face_model import FaceModel
from facenet.model import ModelCard
from facenet.model_folder import save_detector
from tasks import register
from tasks.params.register import Bounds, Gate, PromotionParams, RegisterParams
from tasks.promotion.receipt import is_challenger
from tasks.reports import write_report
from tasks.tracking import models, open_run, registry, runs, start_run, store, tracking_uri
from tasks.tracking.outbox import Outbox
from tasks.tracking.store import client
from tests.calibration import calibrate

EVALUATION = {
    "protocol": "generated pairs",
    "pairs_sha256": "e" * 64,
    "pairs_total": 600,
    "pairs_used": 600,
    "coverage": 1.0,
    "accuracy": 0.91,
    "accuracy_std": 0.01,
    "val": 0.5,
    "auc": 0.97,
    "eer": 0.08,
    "folds": [0.9, 0.92],
    "threshold": None,
}
GATES = {"accuracy": 0.6, "coverage": 0.99}


class Workspace:
    """The files that the stage reads, and the stage on them."""

    def __init__(self, root: Path, model: Path) -> None:
        self.models, self.reports = root / "models", root / "reports"
        shutil.copytree(model, self.models)
        self.reports.mkdir()
        self.evaluate()

    def evaluate(self, **metrics: Any) -> None:
        write_report(self.reports / "evaluation.json", {**EVALUATION, **metrics})

    def change_card(self, **fields: Any) -> None:
        path = self.models / "model.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    @property
    def receipt(self) -> Path:
        return self.reports / "registration.json"

    def calibrate(self, **fields: Any) -> Path:
        path = self.models / "calibration.json"
        given = {"metric": "cosine", "flip": "none", "slope": 9.0, "intercept": 5.0, "threshold": 0.6}
        calibrate(self.models, self.models, **{**given, "people": None, "people_pairs": None, **fields})
        return path

    def register(
        self,
        *,
        model: str = "faces",
        gates: dict[str, Gate] | None = None,
        calibration: Path | None = None,
        publish: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any]:
        rule = PromotionParams(metric="accuracy", min_gain=0.0)
        return register.run(
            params=RegisterParams(model=model, gates=GATES if gates is None else gates, promotion=rule),
            weights=self.models / "facenet.safetensors",
            card=self.models / "model.json",
            evaluation=self.reports / "evaluation.json",
            receipt=self.receipt,
            calibration=calibration,
            publish=publish,
        )


@pytest.fixture
def workspace(mlflow_store: Path, tiny_model: Path) -> Workspace:
    return Workspace(mlflow_store, tiny_model)


def test_the_served_model_computes_as_the_evaluated_one(workspace: Workspace, mlflow_store: Path) -> None:
    workspace.evaluate(precision="bf16")
    workspace.register()
    (card,) = [path for path in mlflow_store.rglob("model.json") if "artifacts" in path.parts]
    assert ModelCard.read(card).precision == "bf16"


def test_a_good_model_becomes_the_challenger_with_a_receipt(workspace: Workspace, mlflow_store: Path) -> None:
    receipt = workspace.register()
    assert json.loads(workspace.receipt.read_text()) == receipt
    assert (receipt["model"], receipt["version"], receipt["aliases"]) == ("faces", 1, ["challenger"])
    assert receipt["gates"]["accuracy"] == {"least": 0.6, "got": 0.91}
    assert receipt["tracking_uri"] == "sqlite:///mlflow.db"
    assert str(mlflow_store) not in workspace.receipt.read_text()
    version = registry.get_version("faces", 1)
    assert version is not None
    assert (version.run_id, version.tags["digest"]) == (receipt["run_id"], receipt["digest"])
    assert version.metrics == {
        name: value for name, value in EVALUATION.items() if type(value) in (int, float)
    }
    assert version.metric("accuracy") == 0.91
    assert version.tags["protocol"] == "generated pairs"
    assert version.tags["data.raw"] == "a" * 64
    assert version.tags["commit"] == "0123456789abcdef0123456789abcdef01234567"
    assert version.tags["dirty"] == "false"
    provenance = {"commit", "dirty", "digest", "mlflow.source.git.commit"}
    compared = {"protocol", "pairs_sha256", "pairs_total", "pairs_used"}
    data = {f"data.{name}" for name in ("raw", "aligned", "triplets", "pairs")}
    assert set(version.tags) <= provenance | compared | data, "only those that code reads"
    folder = registry.download_version(version, mlflow_store / "downloaded")
    assert (folder / "facenet.safetensors").read_bytes() == (
        workspace.models / "facenet.safetensors"
    ).read_bytes()
    assert (
        ModelCard.read(folder / "model.json").align == ModelCard.read(workspace.models / "model.json").align
    )


def test_the_registered_model_answers_as_the_pipeline(
    workspace: Workspace, tmp_path: Path, orl_photos: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    workspace.register()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri())
    model = pyfunc.load_model("models:/faces@challenger", model_config={"batch_size": 8})
    folder = tmp_path / "served"
    shutil.copytree(workspace.models, folder)
    save_detector(folder)
    photos = [photo for _, photo in orl_photos[:20:10]]
    expected = [face.to_dict() for face in FaceModel.load(folder, device="cpu").embed(photos)]
    texts = [base64.b64encode(photo).decode() for photo in photos]
    for column in (photos, texts, np.array(texts), pd.Series(texts, dtype=object)):
        answers = model.predict(pd.DataFrame({"image": column}))
        np.testing.assert_allclose(
            [answer["embedding"] for answer in answers], [entry["embedding"] for entry in expected], atol=1e-5
        )
        assert [answer["box"] for answer in answers] == [entry["box"] for entry in expected]


def test_the_same_model_keeps_its_version_and_gets_the_new_metrics(workspace: Workspace) -> None:
    first = workspace.register()
    workspace.change_card(mlflow={"run_id": "f" * 32}, commit="b" * 40, params={"train": {"epochs": 9}})
    workspace.evaluate(accuracy=0.95)
    second = workspace.register()
    assert (second["version"], second["digest"]) == (1, first["digest"])
    version = registry.get_version("faces", 1)
    assert version is not None
    assert version.metric("accuracy") == 0.95
    assert registry.get_version("faces", 2) is None


def test_another_alignment_is_another_model_and_the_alias_moves(workspace: Workspace) -> None:
    first = workspace.register()
    align = json.loads((workspace.models / "model.json").read_text())["align"]
    workspace.change_card(align={**align, "margin": 22})
    second = workspace.register()
    assert second["version"] == 2
    assert second["digest"] != first["digest"]
    assert second["run_id"] != first["run_id"]
    assert registry.aliases("faces") == {"challenger": 2}
    workspace.change_card(align=align)
    assert workspace.register()["version"] == 1
    assert registry.aliases("faces") == {"challenger": 1}


def test_the_digest_covers_all_that_determines_the_answers(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(**fields: Any) -> str:
        workspace.change_card(**fields)
        return register.model_digest(ModelCard.read(workspace.models / "model.json"))

    plain = digest()
    assert digest(commit="c" * 40, mlflow={"run_id": "e" * 32}, params={}, data={}) == plain
    others = [digest(precision="bf16"), digest(weights_sha256="0" * 64), digest(standardisation="per_image")]
    monkeypatch.setattr("tasks.register.code_digest", lambda _: "0" * 64)
    assert len({plain, *others, digest()}) == 5


def test_the_training_run_is_used_if_the_server_has_it(workspace: Workspace) -> None:
    run = start_run(name="trained", tags={})
    workspace.change_card(mlflow={"run_id": run.run_id})
    assert workspace.register()["run_id"] == run.run_id
    assert client().get_run(run.run_id).data.metrics["evaluation/accuracy"] == 0.91


def test_a_run_missing_on_the_server_is_rebuilt_from_the_files_once(workspace: Workspace) -> None:
    workspace.change_card(mlflow={"run_id": "f" * 32})
    (workspace.reports / "roc.csv").write_text("far,tar\n0,0\n1,1\n")
    Path("dvc.lock").write_text("names the data")
    run = open_run(workspace.register()["run_id"])
    assert run is not None
    found = client().get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"train.network": "nn4_small2", "train.epochs": "0"}
    assert found.data.metrics["evaluation/auc"] == 0.97
    assert found.data.tags["commit"] == "0123456789abcdef0123456789abcdef01234567"
    assert {item.dataset.name for item in found.inputs.dataset_inputs} == {
        "raw",
        "aligned",
        "triplets",
        "pairs",
    }
    assert [item.path for item in client().list_artifacts(run.run_id, "reports")] == [
        "reports/evaluation.json",
        "reports/roc.csv",
    ]
    assert run.read_file("provenance/dvc.lock") == b"names the data"
    assert workspace.register(model="others")["run_id"] == run.run_id


def test_files_of_another_machine_are_registered_on_a_new_server(
    workspace: Workspace, tmp_path: Path, migrated_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = workspace.register()
    assert is_challenger(workspace.receipt)
    shutil.copy(migrated_store, tmp_path / "other.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'other.db'}")
    assert not is_challenger(workspace.receipt)
    second = workspace.register()
    assert (second["version"], second["digest"]) == (1, first["digest"])
    assert second["run_id"] != first["run_id"]
    assert is_challenger(workspace.receipt)


def test_after_a_cache_hit_the_receipt_is_not_the_challenger_until_registered_again(
    workspace: Workspace,
) -> None:
    """Parameters A, then B, then A again: DVC restores A's receipt and does not run the stage."""
    align = json.loads((workspace.models / "model.json").read_text())["align"]
    workspace.register()
    receipt = workspace.receipt.read_text()
    workspace.change_card(align={**align, "margin": 22})
    assert workspace.register()["version"] == 2
    workspace.change_card(align=align)
    workspace.receipt.write_text(receipt)
    assert not is_challenger(workspace.receipt)
    assert workspace.register()["version"] == 1
    assert is_challenger(workspace.receipt)


def test_what_a_training_without_a_server_left_is_sent_and_its_run_is_used(
    workspace: Workspace, mlflow_store: Path
) -> None:
    """The card has no run id: the server did not answer until the end of train."""
    with Outbox("abc") as outbox:
        outbox.start(name="nn4_small2", tags={}, resumable=mlflow_store / "none")
        outbox.log_metrics({"epoch/loss": 0.5}, 1)
        outbox.end("FINISHED")
    workspace.change_card(mlflow={"run_id": None, "outbox": "abc"})
    receipt = workspace.register()
    run = client().get_run(receipt["run_id"])
    assert (run.info.run_name, run.data.tags["outbox"]) == ("nn4_small2", "abc")
    assert run.data.metrics["epoch/loss"] == 0.5
    assert not list((mlflow_store / "data/outbox").iterdir())


@pytest.mark.parametrize(
    ("metrics", "gates", "message"),
    [
        ({"accuracy": 0.5}, GATES, r"accuracy: required at least 0\.6, got 0\.5"),
        ({}, {"recall": 0.5}, r"recall: required at least 0\.5, got none"),
        ({"accuracy": float("nan")}, GATES, r"accuracy: required at least 0\.6, got nan"),
        (
            {"eer": 0.2},
            {"eer": Bounds(max=0.1)},
            r"eer: required at most 0\.1, got 0\.2\. .*train\.epochs is 0",
        ),
        ({"accuracy": True}, GATES, "accuracy: .* got True"),
        ({}, {"threshold": 0.1}, "threshold: .* got none"),
        (
            {"accuracy": 0.5, "coverage": 0.5},
            GATES,
            r"accuracy: .*; coverage: required at least 0\.99, got 0\.5",
        ),
    ],
)
def test_a_failed_gate_stops_before_anything_is_registered(
    workspace: Workspace, metrics: dict[str, Any], gates: dict[str, Gate], message: str
) -> None:
    workspace.evaluate(**metrics)
    with pytest.raises(GateFailed, match=message):
        workspace.register(gates=gates)
    assert registry.get_version("faces", 1) is None
    assert not workspace.receipt.exists()


def test_missing_and_mismatched_files_are_errors(workspace: Workspace) -> None:
    workspace.change_card(weights_sha256="0" * 64)
    with pytest.raises(WeightsInvalid, match="sha256"):
        workspace.register()
    (workspace.reports / "evaluation.json").unlink()
    with pytest.raises(SourceInvalid, match="dvc repro evaluate"):
        workspace.register()


def test_the_receipt_names_the_champion(workspace: Workspace) -> None:
    first = workspace.register()
    assert first["champion"] is None
    registry.set_alias("faces", registry.CHAMPION, first["version"])
    workspace.evaluate(accuracy=0.95)
    again = workspace.register()
    assert again["champion"]["version"] == first["version"]
    assert again["champion"]["figures"]["accuracy"] == 0.95
    align = json.loads((workspace.models / "model.json").read_text())["align"]
    workspace.change_card(align={**align, "margin": 22})
    workspace.evaluate(accuracy=0.97)
    other = workspace.register()
    assert other["champion"] == {
        "version": 1,
        "figures": {"accuracy": 0.95, "val": 0.5, "auc": 0.97, "eer": 0.08},
        "alike": True,
        "paired": None,
    }


@pytest.mark.server
@pytest.mark.slow
def test_registering_on_a_real_server(
    workspace: Workspace, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.replace("://", "://ada:s3cr3t-word@"))
    first, second = workspace.register(model="remote"), workspace.register(model="remote")
    assert first == second
    assert first["tracking_uri"] == mlflow_server
    assert is_challenger(workspace.receipt)
    written = [path for path in Path.cwd().rglob("*") if path.is_file()]
    assert workspace.receipt.absolute() in written
    assert [path for path in written if b"s3cr3t-word" in path.read_bytes()] == []
    run = mlflow.MlflowClient(mlflow_server).get_run(first["run_id"])
    assert "s3cr3t-word" not in str(run.to_dictionary())


def test_the_calibration_is_part_of_the_model(workspace: Workspace) -> None:
    before = workspace.register(calibration=workspace.calibrate())
    assert workspace.register(calibration=workspace.calibrate())["version"] == before["version"]
    after = workspace.register(calibration=workspace.calibrate(threshold=0.5))
    assert after["digest"] != before["digest"]
    assert after["version"] == before["version"] + 1
    with pytest.raises(WeightsInvalid, match="belongs to weights"):
        workspace.register(calibration=workspace.calibrate(weights_sha256="f" * 64))


class Interruption(BaseException):
    """As a kill: no handler of errors catches it."""


class InterruptedClient:
    """An MLflow client that is interrupted after its changing request number `after`."""

    CHANGES = ("create_", "delete_", "finalize_", "log_", "set_", "update_")

    def __init__(self, after: int) -> None:
        self.requests: list[str] = []
        self._after, self._client = after, client()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return self.counted(name, method) if name.startswith(self.CHANGES) else method

    def counted(self, name: str, effect: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if len(self.requests) == self._after:
                raise Interruption
            self.requests.append(name)
            return effect(*arguments, **options)

        return call


def register_interrupted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, after: int
) -> tuple[bool, list[str]]:
    """Register, interrupted after side effect number `after`; return whether it was, and the side effects."""
    with monkeypatch.context() as patched:
        failing = InterruptedClient(after)
        for module in (registry, runs, store):
            patched.setattr(module, "client", lambda: failing)
        patched.setattr(register, "write_report", failing.counted("receipt", register.write_report))
        try:
            workspace.register(publish=failing.counted("publish", lambda _: None))
        except Interruption:
            return True, failing.requests
    return False, failing.requests


@pytest.mark.slow
@pytest.mark.parametrize("again", [False, True])
def test_a_registration_interrupted_at_any_step_is_completed_by_the_next(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Of a new model on a new server, and of a registered one whose alias is on another version."""
    monkeypatch.setattr(models, "save_served_model", lambda folder, **_: folder.mkdir())
    file = Path("mlflow.db")
    if again:
        align = json.loads((workspace.models / "model.json").read_text())["align"]
        for margin in (align["margin"], 22):
            workspace.change_card(align={**align, "margin": margin})
            workspace.register()
        workspace.change_card(align=align)
    empty, interrupted, after = file.read_bytes(), True, -1
    while interrupted:
        after += 1
        workspace.receipt.unlink(missing_ok=True)
        file.write_bytes(empty)
        interrupted, requests = register_interrupted(workspace, monkeypatch, after)
        assert workspace.receipt.exists() is not interrupted
        if "set_registered_model_alias" not in requests:
            assert registry.aliases("faces") == ({"challenger": 2} if again else {})
        receipt = workspace.register()
        assert json.loads(workspace.receipt.read_text()) == receipt
        assert (receipt["version"], registry.aliases("faces")) == (1, {"challenger": 1}), requests
        run = client().get_run(receipt["run_id"])
        assert (run.info.status, len(run.inputs.dataset_inputs)) == ("FINISHED", 4), requests
        assert is_challenger(workspace.receipt)
    assert requests[-3:] == ["set_registered_model_alias", "publish", "receipt"]


def test_decisions_with_a_repeated_pair_do_not_keep_a_model_from_being_registered(
    workspace: Workspace, mlflow_store: Path
) -> None:
    row = "a/a_0001,b/b_0001,False,0,1.5,1.0,True\n"
    text = "left_name,right_name,same,fold,distance,threshold,right\n" + row + row
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept = mlflow_store / "data" / "cache" / "decisions" / f"{digest}.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text(text)
    workspace.evaluate(decisions_sha256=digest)
    registry.set_alias("faces", registry.CHAMPION, workspace.register()["version"])
    align = json.loads((workspace.models / "model.json").read_text())["align"]
    workspace.change_card(align={**align, "margin": 22})
    receipt = workspace.register()
    assert (receipt["version"], receipt["champion"]["paired"]["pairs"]) == (2, 1)


def test_what_fails_in_the_comparison_fails_before_the_alias_moves(
    workspace: Workspace, mlflow_store: Path
) -> None:
    kept = mlflow_store / "data" / "cache" / "decisions" / f"{'0' * 64}.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("damaged")
    workspace.evaluate(decisions_sha256="0" * 64)
    registry.set_alias("faces", registry.CHAMPION, workspace.register()["version"])
    workspace.receipt.unlink()
    align = json.loads((workspace.models / "model.json").read_text())["align"]
    workspace.change_card(align={**align, "margin": 22})
    with pytest.raises(DataInvalid, match="Delete it and run `dvc repro evaluate`"):
        workspace.register()
    assert registry.aliases("faces") == {"challenger": 1, "champion": 1}
    assert not workspace.receipt.exists()
    kept.unlink()
    assert workspace.register()["aliases"] == ["challenger"]
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1}


@pytest.mark.parametrize("name", ["ünï faces #1", "what?", "100% of {a}", "ann@home's"])
def test_a_workspace_may_have_any_name(
    name: str,
    tmp_path: Path,
    tiny_model: Path,
    migrated_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    mlflow_store: Path,
) -> None:
    """No second store appears anywhere, also where MLflow takes its default."""
    root = tmp_path / "places" / name
    root.mkdir(parents=True)
    shutil.copy(migrated_store, root / "mlflow.db")
    monkeypatch.chdir(root)
    workspace = Workspace(root, tiny_model)
    receipt = workspace.register()
    assert receipt["tracking_uri"] == "sqlite:///mlflow.db"
    assert is_challenger(workspace.receipt)
    assert mlflow.get_tracking_uri() == mlflow.get_registry_uri() == tracking_uri()
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert Path(mlflow.artifacts.download_artifacts("models:/faces@challenger/MLmodel")).is_file()
    assert [path.name for path in root.parent.iterdir()] == [name]
    names = {"mlflow.db", "mlartifacts", "models", "reports"}
    assert {path.name for path in root.iterdir()} == names

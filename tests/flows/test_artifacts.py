"""Reports as Prefect artifacts."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

from flows import artifacts

EVALUATION = {
    "protocol": "LFW View 2",
    "pairs_total": 6000,
    "pairs_used": 5998,
    "accuracy": 0.98951,
    "accuracy_std": 0.0042,
    "threshold": 1.13,
    "val": 0.97,
    "far": 0.0012,
    "far_target": 0.001,
    "val_std": 0.01,
    "auc": 0.9987,
    "eer": 0.011,
    "fallbacks": 3,
}
REGISTRATION = {
    "model": "facenet",
    "version": 3,
    "aliases": ["challenger"],
    "digest": "ab" * 32,
    "run_id": "0123",
}


def test_a_table_has_one_row_per_metric() -> None:
    metrics = {
        "found": 13233,
        "rejected": {"corrupt": 2, "by": {"a|b": 0.25}},
        "device": None,
        "resumed": False,
    }
    assert artifacts.table(metrics) == [
        {"metric": "found", "value": "13,233"},
        {"metric": "rejected.corrupt", "value": "2"},
        {"metric": "rejected.by.a|b", "value": "0.25"},
        {"metric": "device", "value": "-"},
        {"metric": "resumed", "value": "no"},
    ]
    assert artifacts.table({"aliases": ["a", "b"], "name": "x"})[0] == {"metric": "aliases", "value": "a, b"}
    assert artifacts.table({}) == []


def test_the_verdict_has_the_metrics_people_quote() -> None:
    assert artifacts.verdict(EVALUATION) == (
        "accuracy 0.9895 ± 0.0042, VAL 0.9700 at FAR 0.001, AUC 0.9987, EER 0.0110 on 5998 of 6000 pairs"
    )
    assert artifacts.summary(EVALUATION, REGISTRATION).startswith(
        "facenet version 3 (challenger): accuracy 0.9895"
    )
    assert artifacts.summary(EVALUATION, {**REGISTRATION, "aliases": []}).startswith("facenet version 3: ")


def test_the_evaluation_page() -> None:
    page = artifacts.evaluation_page({**EVALUATION, "note": "a|b\nc"})
    assert page.startswith("# LFW View 2\n\n**accuracy 0.9895")
    assert "| pairs_total | 6,000 |" in page
    assert r"| note | a\|b c |" in page


@pytest.mark.parametrize(
    ("uri", "link"),
    [
        ("http://mlflow:5000/", "http://mlflow:5000/#/models/facenet/versions/3"),
        ("https://host/mlflow", "https://host/mlflow/#/models/facenet/versions/3"),
        ("sqlite:///mlflow.db", None),
    ],
)
def test_the_registered_version_is_linked_if_a_server_shows_it(uri: str, link: str | None) -> None:
    assert artifacts.version_link(REGISTRATION, uri) == link
    page = artifacts.registration_page(REGISTRATION, uri)
    assert "**Aliases: challenger**" in page
    assert (link or f"`mlflow ui --backend-store-uri {uri}`") in page


@pytest.mark.parametrize("uri", ["http://mlflow:5000", "sqlite:///mlflow.db"])
def test_the_page_of_a_training_has_its_stages_and_where_to_look(uri: str) -> None:
    page = artifacts.training_page(
        "facenet version 3: accuracy 0.9", {"train": "ran in 7 s"}, REGISTRATION, uri
    )
    assert page.startswith("# facenet version 3\n\n**accuracy 0.9**\n\n")
    assert "| train | ran in 7 s |" in page
    assert "in the workspace: reports/report.html" in page
    if uri.startswith("http"):
        assert "[facenet version 3](http://mlflow:5000/#/models/facenet/versions/3)" in page
        assert "[run 0123](http://mlflow:5000/#/runs/0123)" in page
    else:
        assert "`mlflow ui --backend-store-uri sqlite:///mlflow.db` shows them" in page


def test_in_an_outage_a_report_is_left_out_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise httpx.ConnectError("refused")

    for name in ("create_table_artifact", "create_markdown_artifact"):
        monkeypatch.setattr(artifacts, name, refuse)
    monkeypatch.chdir(tmp_path)
    Path("reports").mkdir()
    Path("reports/align.json").write_text("{}")
    said: list[str] = []
    artifacts.publish("align", warn=said.append)
    artifacts.publish_page("training", "page", "description", warn=said.append)
    assert said == [
        "The report of align is not among the artifacts of this run: refused",
        "The summary is not among the artifacts of this run: refused",
    ]


def test_published_artifacts_belong_to_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_api: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    Path("reports").mkdir()
    for name, metrics in {
        "align": {"faces": 7},
        "evaluation": EVALUATION,
        "registration": REGISTRATION,
    }.items():
        Path(f"reports/{name}.json").write_text(json.dumps(metrics))

    @flow
    def publish_all() -> None:
        for stage in ("align", "evaluate", "register"):
            artifacts.publish(stage, warn=pytest.fail)

    state = publish_all(return_state=True)
    found = read(state.state_details.flow_run_id)
    assert {key: kind for key, (kind, _) in found.items()} == {
        "align": "table",
        "evaluate": "table",
        "evaluation": "markdown",
        "register": "table",
        "registration": "markdown",
        "registered-version": "markdown",
    }
    assert json.loads(found["align"][1]) == [{"metric": "faces", "value": "7"}]
    assert found["evaluation"][1].startswith("# LFW View 2")
    assert "http://127.0.0.1:5000/#/models/facenet/versions/3" in found["registered-version"][1]


def read(flow_run_id: Any) -> dict[str, tuple[str, str]]:
    with get_client(sync_client=True) as client:
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run_id]))
        return {a.key: (a.type, a.data) for a in client.read_artifacts(artifact_filter=chosen)}

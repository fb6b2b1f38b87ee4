"""prefect.yaml, and the version pins that Prefect's server needs to start and to schedule."""

import subprocess
import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from packaging.version import Version

from flows import audit, automations, monitoring, promotion, reevaluation, scoring, sweep, training
from tasks.params import parse_params
from tasks.sweep.grid import at_point, make_points


@pytest.fixture(scope="module")
def prefect_yaml(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "infra" / "prefect.yaml").read_text())
    return loaded


FLOWS = {
    "nightly": training.training,
    "weekly": reevaluation.reevaluation,
    "daily": monitoring.monitoring,
    "promote": promotion.promotion,
    "rollback": promotion.promotion,
    "sweep": sweep.sweep,
    "audit": audit.audit,
    "batch": scoring.scoring,
}


def test_the_deployments_are_the_flows_with_defaults_that_their_forms_accept(
    prefect_yaml: dict[str, Any], root: Path
) -> None:
    assert [deployment["name"] for deployment in prefect_yaml["deployments"]] == list(FLOWS)
    for deployment in prefect_yaml["deployments"]:
        flow = FLOWS[deployment["name"]]
        assert deployment["entrypoint"] == f"flows/{flow.name}.py:{flow.name}"
        assert (root / "flows" / f"{flow.name}.py").is_file()
        form = flow.parameters.model_dump_for_openapi()
        assert all(field["description"] for field in form["properties"].values())
        assert set(deployment["parameters"]) == set(form["properties"])
        jsonschema.validate(deployment["parameters"], form)
        assert "concurrency_limit" not in deployment  # flows/supervision.py says why
        assert deployment["work_pool"]["job_variables"]["env"][training.HEARTBEATS] == "30"
    assert prefect_yaml["prefect-version"] == version("prefect")


def test_a_promotion_starts_for_each_new_version(prefect_yaml: dict[str, Any]) -> None:
    (trigger,) = next(d["triggers"] for d in prefect_yaml["deployments"] if d["name"] == "promote")
    assert trigger["expect"] == [training.REGISTERED]


def test_what_drift_starts_is_off_by_default(prefect_yaml: dict[str, Any]) -> None:
    triggers = [
        (deployment["name"], trigger)
        for deployment in prefect_yaml["deployments"]
        for trigger in deployment.get("triggers", [])
        if trigger["expect"] == [automations.DRIFT]
    ]
    assert {(name, trigger["enabled"]) for name, trigger in triggers} == {
        ("nightly", False),
        ("weekly", False),
    }


def test_the_deployed_sweep_can_run(prefect_yaml: dict[str, Any], root: Path) -> None:
    (parameters,) = (d["parameters"] for d in prefect_yaml["deployments"] if d["name"] == "sweep")
    text = (root / "recipes" / "default.yaml").read_text()
    points = make_points(parameters["grid"], text)
    tried = [parse_params(at_point(text, point)) for point in points]
    assert len(tried) > 1
    assert all(one != other for one, other in combinations(tried, 2))


def test_each_worker_uses_its_own_workspace(prefect_yaml: dict[str, Any]) -> None:
    (step,) = prefect_yaml["pull"]
    assert step == {
        "prefect.deployments.steps.set_working_directory": {"directory": "{{ $FACENET_WORKSPACE }}"}
    }


def test_the_server_can_be_created_with_this_fastapi() -> None:
    from prefect.server.api.server import create_app

    assert create_app().title


def test_with_this_sqlalchemy_schedules_fire() -> None:
    # The cron test in tests/flows/test_training.py is the proof; this test explains why it would hang.
    assert Version(version("sqlalchemy")) < Version("2.1")


def prefect(*words: str, root: Path) -> None:
    subprocess.run([sys.executable, "-m", "prefect", "--no-prompt", *words], cwd=root, check=True)


@pytest.mark.server
@pytest.mark.slow
def test_it_deploys_and_a_worker_finds_its_workspace(
    root: Path, prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FACENET_WORKSPACE", raising=False)
    subprocess.run([sys.executable, "-m", "flows.deploy"], cwd=root, check=True)
    deployments = httpx.post(f"{prefect_server}/deployments/filter", json={"sort": "NAME_ASC"}).json()
    deployed = {deployment["name"]: deployment for deployment in deployments}
    assert set(deployed) == set(FLOWS)
    assert deployed["sweep"]["parameters"]["grid"] == {"train.margin": [0.2, 0.35]}
    assert deployed["nightly"]["schedules"][0]["schedule"]["cron"] == "0 2 * * *"
    assert "{{ $FACENET_WORKSPACE }}" in str(deployed["nightly"]["pull_steps"])
    found = httpx.post(f"{prefect_server}/automations/filter", json={}).json()
    assert "facenet: promote a new challenger" in {automation["name"] for automation in found}
    enabled = {automation["name"]: automation["enabled"] for automation in found}
    assert len(found) == 7
    assert [name for name, on in enabled.items() if not on] == [
        name for name in enabled if name.endswith("after drift")
    ]

    workspace = tmp_path / "checkout"  # has the flows, but is not a DVC workspace
    workspace.mkdir()
    (workspace / "flows").symlink_to(root / "flows")
    monkeypatch.setenv("FACENET_WORKSPACE", str(workspace))
    prefect("deployment", "run", "training/nightly", root=root)
    prefect("worker", "start", "--pool", "facenet", "--type", "process", "--run-once", root=root)
    runs = httpx.post(f"{prefect_server}/flow_runs/filter", json={"sort": "EXPECTED_START_TIME_ASC"}).json()
    assert runs[0]["state_type"] == "FAILED"
    assert f"{workspace} is not a DVC workspace" in runs[0]["state"]["message"]

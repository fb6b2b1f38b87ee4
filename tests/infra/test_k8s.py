"""The Kubernetes files are valid, confined and consistent; the script that fills the volume works."""

import os
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from flows.process import GRACE_SECONDS

FILES = ("common.yaml", "training.yaml", "worker.yaml")
VERSIONS = ("1.34", kubernetes_validate.latest_version())
SECRETS = (
    "PREFECT_API_AUTH_STRING",
    "MLFLOW_TRACKING_PASSWORD",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)


@pytest.fixture(scope="module")
def documents(root: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Every object of the files, by kind and name."""
    folder = root / "infra" / "k8s"
    assert sorted(path.name for path in folder.glob("*.yaml")) == sorted(FILES)
    found = [each for name in FILES for each in yaml.safe_load_all((folder / name).read_text())]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


@pytest.fixture(scope="module")
def job(documents: dict[tuple[str, str], Any]) -> dict[str, Any]:
    spec: dict[str, Any] = documents["CronJob", "facenet-training"]["spec"]
    return spec


@pytest.fixture(scope="module")
def pods(documents: dict[tuple[str, str], Any], job: dict[str, Any]) -> dict[str, Any]:
    deployment = documents["Deployment", "facenet-worker"]["spec"]
    return {
        "training": job["jobTemplate"]["spec"]["template"]["spec"],
        "worker": deployment["template"]["spec"],
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_they_are_valid_without_unknown_fields(documents: dict[tuple[str, str], Any], version: str) -> None:
    for document in documents.values():
        kubernetes_validate.validate(document, version, strict=True)
    wrong = {**documents["CronJob", "facenet-training"]}
    wrong["spec"] = {**wrong["spec"], "concurencyPolicy": "Forbid"}
    with pytest.raises(kubernetes_validate.ValidationError, match="concurencyPolicy"):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_the_nightly_run_is_alone_ends_and_is_not_repeated_after_an_error(job: dict[str, Any]) -> None:
    assert job["concurrencyPolicy"] == "Forbid"
    spec = job["jobTemplate"]["spec"]
    assert 0 < spec["activeDeadlineSeconds"] < 24 * 3600, "before the next night"
    assert spec["backoffLimit"] == 1
    ignored, failed = spec["podFailurePolicy"]["rules"]
    assert (ignored["action"], failed["action"]) == ("Ignore", "FailJob")
    assert failed["onExitCodes"]["operator"] == "NotIn"
    pod = spec["template"]["spec"]
    assert failed["onExitCodes"]["containerName"] == pod["containers"][0]["name"]
    assert pod["restartPolicy"] == "Never"
    assert pod["containers"][0]["command"] == ["python", "-m", "flows.training"]


def test_every_container_is_confined_and_bounded(pods: dict[str, Any]) -> None:
    for pod in pods.values():
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"], security["fsGroup"]) == (True, 1000, 1000)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["terminationGracePeriodSeconds"] > GRACE_SECONDS + 10
        for container in (*pod["initContainers"], *pod["containers"]):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            for amount in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(container["resources"][amount])
        assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1


def test_what_a_pod_mounts_and_reads_is_declared(
    documents: dict[tuple[str, str], Any], pods: dict[str, Any]
) -> None:
    for pod in pods.values():
        containers = (*pod["initContainers"], *pod["containers"])
        mounted = {mount["name"]: mount["mountPath"] for each in containers for mount in each["volumeMounts"]}
        assert set(mounted) == {volume["name"] for volume in pod["volumes"]}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        claim = volumes["workspace"]["persistentVolumeClaim"]["claimName"]
        assert ("PersistentVolumeClaim", claim) in documents
        assert ("ConfigMap", volumes["checkout"]["configMap"]["name"]) in documents
        writable = {"/workspace", "/tmp", "/prefect", "/dev/shm"}
        assert set(mounted.values()) == writable | {"/etc/facenet"}
        for each in containers:
            settings, secrets = each["envFrom"]
            assert ("ConfigMap", settings["configMapRef"]["name"]) in documents
            assert secrets == {"secretRef": {"name": "facenet"}}
    images = {each["image"] for pod in pods.values() for each in (*pod["initContainers"], *pod["containers"])}
    assert images == {"facenet-pipeline:0.1.0-cuda"}


def test_no_secret_is_in_the_files_and_the_readme_creates_each(
    documents: dict[tuple[str, str], Any], root: Path
) -> None:
    settings = documents["ConfigMap", "facenet"]["data"]
    assert not set(SECRETS) & set(settings)
    assert settings["MLFLOW_DISABLE_TELEMETRY"] == settings["DO_NOT_TRACK"] == "true"
    assert not [value for value in settings.values() if "@" in value]
    readme = (root / "infra" / "k8s" / "README.md").read_text()
    for name in SECRETS:
        assert f"--from-literal={name}=" in readme


def test_an_outage_of_the_prefect_server_does_not_end_a_training(pods: dict[str, Any]) -> None:
    (worker,) = pods["worker"]["containers"]
    assert worker["command"][:3] == ["prefect", "worker", "start"]
    assert "--with-healthcheck" in worker["command"]
    assert "httpGet" not in worker["livenessProbe"]
    assert (
        worker["readinessProbe"]["httpGet"]["path"] == worker["startupProbe"]["httpGet"]["path"] == "/health"
    )
    environment = {variable["name"]: variable["value"] for variable in worker["env"]}
    assert environment["FACENET_WORKSPACE"] == worker["workingDir"]
    assert environment["PREFECT_WORKER_WEBSERVER_HOST"] == "0.0.0.0"
    (port,) = worker["ports"]
    assert port == {"name": "health", "containerPort": 8080}


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_volume_is_filled_and_later_updated(
    documents: dict[tuple[str, str], Any], pods: dict[str, Any], tmp_path: Path
) -> None:
    script = documents["ConfigMap", "facenet-checkout"]["data"]["checkout.sh"]
    (init,) = pods["training"]["initContainers"]
    assert (init["command"], init["workingDir"]) == (["sh", "/etc/facenet/checkout.sh"], "/workspace")
    origin, volume = tmp_path / "origin", tmp_path / "volume"
    origin.mkdir()
    (volume / "lost+found").mkdir(parents=True)  # as a new file system has it
    git(origin, "init", "--quiet", "--initial-branch", "main")
    (origin / "dvc.lock").write_text("first")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "-m", "First")

    def fill(repository: Path) -> subprocess.CompletedProcess[str]:
        settings = {"FACENET_REPOSITORY": str(repository), "FACENET_BRANCH": "main"}
        command = ["sh", "-c", script]
        return subprocess.run(
            command, cwd=volume, env={**os.environ, **settings}, capture_output=True, text=True
        )

    checkout = volume / "checkout"
    assert fill(tmp_path / "missing").returncode != 0
    assert not checkout.exists()
    assert fill(origin).returncode == 0
    assert git(checkout, "rev-parse", "HEAD") == git(origin, "rev-parse", "HEAD")
    (checkout / "dvc.lock").write_text("of the night")
    (checkout / "model").write_text("kept")
    (origin / "dvc.lock").write_text("second")
    git(origin, "commit", "--quiet", "--all", "-m", "Second")
    assert fill(origin).returncode == 0
    assert (checkout / "dvc.lock").read_text() == "second"
    assert (checkout / "model").read_text() == "kept"
    away = fill(tmp_path / "missing")
    assert (away.returncode, "Not updated" in away.stderr) == (0, True)
    (checkout / "code").write_text("own")
    git(checkout, "add", "code")
    git(checkout, "commit", "--quiet", "-m", "Own")
    (origin / "dvc.lock").write_text("third")
    git(origin, "commit", "--quiet", "--all", "-m", "Third")
    assert fill(origin).returncode != 0, "branches have diverged, which a person has to settle"

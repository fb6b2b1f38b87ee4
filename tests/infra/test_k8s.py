"""The Kubernetes example."""

from pathlib import Path

import yaml

from flows.process import GRACE_SECONDS


def test_the_cron_job_runs_one_flow_at_a_time_on_its_volume(root: Path) -> None:
    claim, job = yaml.safe_load_all((root / "infra" / "k8s" / "training.yaml").read_text())
    assert (claim["kind"], job["kind"]) == ("PersistentVolumeClaim", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > GRACE_SECONDS
    (container,) = pod["containers"]
    assert container["command"] == ["python", "-m", "flows.training"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"

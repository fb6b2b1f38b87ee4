"""The training flow on a tiny pipeline of six real stages, run and stopped the way users do."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings

from commands.checks.servers import check_prefect
from facenet.atomic import write_text
from facenet.digests import file_digest
from flows import training as training_module
from flows.training import CHECKED, STAGES, ServerMissing, check_changes, serve, training
from flows.workspace import nothing
from tasks.tracking.store import client as mlflow_client
from tests.servers import free_port, running
from tests.tasks.params.changed import text
from tests.waiting import wait_for

SLEEPER = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"


def start(*words: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows.training", *words],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # as in a terminal, not as in a background job
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str], seconds: float = 300) -> str:
    try:
        output, _ = process.communicate(timeout=seconds)
    finally:
        process.kill()  # if it did not end in time
    return output


def pid_in(path: Path) -> int:
    """Wait for a process to write its pid."""
    return int(wait_for(lambda: path.read_text() if path.exists() else ""))


def register_version() -> None:
    """Create the version in MLflow that the receipt of the tiny pipeline names, and another."""
    client = mlflow_client()
    client.create_registered_model("facenet")
    for digest in ("0" * 64, "1" * 64):
        client.create_model_version("facenet", source="s3://nowhere/model", tags={"digest": digest})


def test_the_flow_runs_every_stage_in_an_order_that_dvc_allows(root: Path) -> None:
    stages: dict[str, Any] = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    steps = {name for name, stage in stages.items() if stage.get("always_changed")}
    assert set(STAGES) == set(stages) - steps
    made = [path for step in sorted(steps) for path in made_by(stages[step])]
    for stage in STAGES:
        later = [path for other in STAGES[STAGES.index(stage) :] for path in made_by(stages[other])]
        assert not set(stages[stage]["deps"]) & set(later)
        made += made_by(stages[stage])


def made_by(stage: dict[str, Any]) -> list[str]:
    named = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    return [path if isinstance(path, str) else next(iter(path)) for path in named]


def test_served_runs_need_evaluated_annotations(root: Path) -> None:
    for name in ("training", "stage"):
        lines = (root / "flows" / f"{name}.py").read_text().splitlines()
        assert "from __future__ import annotations" not in lines


@pytest.mark.slow
def test_six_stages_run_then_are_unchanged_unless_the_registry_says_otherwise(
    workspace: Any, root: Path, api: str, task_runs: Any
) -> None:
    first = start(root=root)
    output = finish(first)
    assert first.returncode == 0, output
    assert [stage for stage in STAGES if f"{stage} ran in" in output] == list(STAGES)
    assert "facenet version 1 (challenger): accuracy 0.9000" in output

    def states() -> list[tuple[str, str]]:
        return [(run.name, run.state_name) for run in task_runs(training(return_state=True), 6)]

    unchanged = [(stage, "Unchanged") for stage in STAGES]
    assert states() == [*unchanged[:-1], ("register", "Completed")]  # MLflow had no version 1
    register_version()
    for alias, version in (("challenger", "2"), ("champion", "1")):
        mlflow_client().set_registered_model_alias("facenet", alias, version)
    moved = [(stage, "Completed" if stage in ("triplets", "register") else "Unchanged") for stage in STAGES]
    assert states() == moved  # there was no champion to mine with; DVC restored the receipt of version 1
    mlflow_client().set_registered_model_alias("facenet", "challenger", "1")
    mlflow_client().delete_registered_model_alias("facenet", "champion")
    assert states() == unchanged
    assert CHECKED.read_text() == file_digest(Path("params.yaml"))
    forced = task_runs(training(force=True, return_state=True), 6)
    assert [(run.name, run.state_name) for run in forced] == [(stage, "Completed") for stage in STAGES]


def test_parameters_with_which_a_run_has_completed_are_not_checked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training_module, "begin_check", lambda: print)
    assert check_changes("one", force=False) is print
    write_text(CHECKED, "one")
    assert check_changes("one", force=False) is nothing
    assert check_changes("one", force=True) is print
    assert check_changes("two", force=False) is print
    assert check_changes("", force=False) is print  # params.yaml is missing


def test_parameters_that_change_during_a_run_are_checked_by_the_next(
    workspace: Any, api: str, root: Path
) -> None:
    before = file_digest(Path("params.yaml"))
    workspace.command(
        "register",
        """
import json, pathlib
with open("params.yaml", "a") as file: file.write("# changed")
receipt = {"model": "facenet", "version": 1, "aliases": [], "digest": "0" * 64, "run_id": "none"}
pathlib.Path("reports/registration.json").write_text(json.dumps(receipt))
""",
    )
    process = start(root=root)
    output = finish(process)
    assert process.returncode == 0, output
    assert CHECKED.read_text() == before != file_digest(Path("params.yaml"))


def test_a_failing_stage_ends_the_run_with_its_last_lines(workspace: Any, root: Path, api: str) -> None:
    workspace.command("align", "print('photo 7'); raise ValueError('no landmarks in photo 7')")
    process = start(root=root)
    output = finish(process)
    assert process.returncode == 1
    last = output[output.rindex("Stage align failed") :]
    assert "photo 7" in last.splitlines()
    assert "ValueError: no landmarks in photo 7" in last
    assert "triplets at work" not in output
    assert not CHECKED.exists()


def test_what_a_late_stage_would_refuse_ends_the_run_before_a_stage_that_does_not_check(
    workspace: Any, root: Path, api: str
) -> None:
    Path("params.yaml").write_text(text({"train.network": "resnet"}))
    process = start(root=root)
    output = finish(process)
    assert process.returncode == 1
    assert "The pipeline would fail later:" in output
    assert "resnet" in output
    assert "triplets at work" not in output


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_stopping_a_run_ends_the_stage_with_it(
    number: signal.Signals, code: int, workspace: Any, root: Path, api: str, is_alive: Callable[[int], bool]
) -> None:
    workspace.command("ingest", SLEEPER)
    process = start(root=root)
    pid = pid_in(Path("pid"))
    family = [
        process.pid,
        *(child.pid for child in psutil.Process(process.pid).children(recursive=True)),
        pid,
    ]
    process.send_signal(number)
    output = finish(process)
    assert process.returncode == code, output
    wait_for(lambda: not any(map(is_alive, family)))


def test_outside_a_workspace_the_error_names_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path, api: str
) -> None:
    monkeypatch.chdir(tmp_path)
    process = start(root=root)
    assert f"\n{tmp_path} is not a DVC workspace. Change to the root" in finish(process)
    assert process.returncode == 1


@pytest.mark.slow
def test_without_a_server_it_runs_stores_history_and_leaves_no_process(
    workspace: Any,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_alive: Callable[[int], bool],
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect-home"))
    workspace.command("align", SLEEPER)
    process = start(root=root)
    pid_in(Path("pid"))
    family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
    assert len(family) > 4  # run, temporary server, guard, dvc, stage
    process.terminate()
    output = finish(process)
    assert process.returncode == 143, output
    assert "ingest ran in" in output
    assert "temporary server" not in output
    assert Path(".prefect/prefect.db").exists()
    wait_for(lambda: not any(map(is_alive, family)))


def test_a_schedule_without_a_server_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    process = start("serve", "--cron", "0 2 * * *", root=root)
    assert "prefect server start" in finish(process)
    assert process.returncode == 1


def test_a_server_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.training.SERVER_SECONDS", 0.1)
    url = f"http://127.0.0.1:{free_port()}/api"
    with (
        temporary_settings({PREFECT_API_URL: url}),
        pytest.raises(ServerMissing, match=rf"{url} \(PREFECT_API_URL\) does not answer"),
    ):
        serve("0 2 * * *", timezone="UTC", name="nightly", force=False)


@pytest.mark.server
@pytest.mark.slow
def test_a_schedule_waits_for_a_server_that_starts_after_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}/api"
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PREFECT_API_URL", url)
    with start("serve", "--cron", "0 2 * * *", root=root) as serving:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
        try:
            with running(command, f"{url}/health", log=tmp_path / "server.log", cwd=tmp_path):
                wait_for(lambda: ask(url, "deployments"))
        finally:
            serving.send_signal(signal.SIGINT)
            finish(serving)


def test_an_invalid_cron_is_refused(root: Path, api: str) -> None:
    process = start("serve", "--cron", "every night", root=root)
    assert 'Invalid cron string: "every night"' in finish(process)
    assert process.returncode == 1


def ask(url: str, what: str, **question: Any) -> Any:
    return httpx.post(f"{url}/{what}/filter", json=question, timeout=60).raise_for_status().json()


@pytest.mark.server
@pytest.mark.slow
def test_a_cron_schedule_fires_and_its_run_can_be_cancelled(
    workspace: Any, root: Path, prefect_server: str, is_alive: Callable[[int], bool]
) -> None:
    (finding,) = check_prefect()  # of doctor; here, where a server runs anyway
    assert finding.message == f"127.0.0.1 answers, version {metadata.version('prefect')} as here"
    with start("serve", "--cron", "* * * * *", "--name", "nightly", root=root) as serving:
        try:
            run = wait_for(lambda: first_run(prefect_server, "COMPLETED"), 600)
            assert run["auto_scheduled"]
            assert run["name"].startswith("training 20")
            mine = {"flow_run_id": {"any_": [run["id"]]}}

            def named(what: str, field: str, **question: Any) -> list[str]:
                return [found[field] for found in ask(prefect_server, what, **question)]

            # Task runs and logs reach the server through queues, some after the end of the run.
            of_run = {"id": mine["flow_run_id"]}
            wait_for(lambda: sorted(named("task_runs", "name", flow_runs=of_run)) == sorted(STAGES))
            at_work = {f"{stage} at work" for stage in STAGES}
            wait_for(lambda: at_work <= set(named("logs", "message", logs=mine)))
            assert {*STAGES, "evaluation", "registration"} <= set(named("artifacts", "key", artifacts=mine))
            (deployment,) = ask(prefect_server, "deployments")
            assert deployment["schedules"][0]["schedule"]["cron"] == "* * * * *"
            assert deployment["global_concurrency_limit"] is None  # see flows/supervision.py

            workspace.command("ingest", SLEEPER)
            pid = pid_in(Path("pid"))
            cancel(prefect_server, first_run(prefect_server, "RUNNING")["id"])
            wait_for(lambda: first_run(prefect_server, "CANCELLED"))
            wait_for(lambda: not is_alive(pid))
        finally:
            serving.send_signal(signal.SIGINT)
            finish(serving)


def first_run(url: str, state: str) -> dict[str, Any] | None:
    runs = ask(url, "flow_runs", flow_runs={"state": {"type": {"any_": [state]}}}, sort="START_TIME_ASC")
    return runs[0] if runs else None


def cancel(url: str, flow_run_id: str) -> None:
    command = [sys.executable, "-m", "prefect", "flow-run", "cancel", flow_run_id]
    subprocess.run(command, check=True, capture_output=True)

"""A temporary DVC repository with six real, tiny stages, and a Prefect API for the session."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tasks.params.changed import DEFAULT
from tests.waiting import wait_for

STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")
REPORTS = {"evaluate": "evaluation", "register": "registration"}
SCRIPT = """
import json, pathlib, sys
stage, report = sys.argv[1:3]
print(f"{stage} at work", flush=True)
metrics = {"images": 2, "rejected": {"corrupt": 1}}
if stage == "evaluate":
    metrics = {"protocol": "tiny", "pairs_total": 6, "pairs_used": 6, "accuracy": 0.9, "accuracy_std": 0.01,
               "threshold": 1.1, "val": 0.8, "far": 0.001, "far_target": 0.001, "val_std": 0.02, "auc": 0.95,
               "eer": 0.1, "fallbacks": 0}
if stage == "triplets":
    metrics |= {"embedder": {"embedder": "models:/facenet@champion", "version": None, "digest": None}}
if stage == "register":
    metrics = {"model": "facenet", "version": 1, "aliases": ["challenger"], "digest": "0" * 64,
               "run_id": "none"}
pathlib.Path("reports").mkdir(exist_ok=True)
pathlib.Path(report).write_text(json.dumps(metrics))
"""


def report(stage: str) -> str:
    return f"reports/{REPORTS.get(stage, stage)}.json"


class Workspace:
    """A DVC repository whose stages can be replaced."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stages: dict[str, dict[str, object]] = {}

    def command(self, stage: str, code: str) -> None:
        """Replace a stage by a Python script that runs after an empty report was written."""
        (self.root / f"{stage}.py").write_text(code)
        self._stage(stage, [f"python stage.py empty {report(stage)}", f"python {stage}.py"], [f"{stage}.py"])

    def tiny(self, stage: str, before: str | None) -> None:
        """Replace a stage by one that writes a report and depends on the report of the stage `before`."""
        deps = ["stage.py", *([report(before)] if before else [])]
        self._stage(stage, [f"python stage.py {stage} {report(stage)}"], deps)

    def stepped(self, stage: str) -> None:
        """Replace a stage by one that depends on a copy of source.txt, which a step makes in every run."""
        copy = "import shutil; shutil.copy('source.txt', 'seen.txt'); print('step at work')"
        step = {"cmd": f'python -c "{copy}"', "always_changed": True, "outs": ["seen.txt"]}
        self.stages["step"] = step
        self._stage(stage, [f"python stage.py {stage} {report(stage)}"], ["stage.py", "seen.txt"])

    def _stage(self, stage: str, cmd: list[str], deps: list[str]) -> None:
        self.stages[stage] = {"cmd": cmd, "deps": deps, "metrics": [report(stage)]}
        (self.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": self.stages}))


@pytest.fixture(autouse=True)
def _own_dvc_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("dvc-site")))


@pytest.fixture
def workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _own_dvc_state: None, migrated_store: Path
) -> Workspace:
    """The repository, as the working folder, with an empty MLflow store."""
    shutil.copy(migrated_store, tmp_path / "mlflow.db")
    root = tmp_path / "ünï faces #1"  # flows and stages run in a folder of any name
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], check=True)
    made = Workspace(root)
    (root / "stage.py").write_text(SCRIPT)
    (root / "params.yaml").write_text(DEFAULT)
    for before, stage in zip((None, *STAGES), STAGES, strict=False):
        made.tiny(stage, before)
    return made


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[None]:
    """A temporary Prefect server with its own database."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=300):
        yield


@pytest.fixture
def api(prefect_api: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the session's Prefect API, also in the environment for child processes."""
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    monkeypatch.setenv("PREFECT_API_URL", url)
    return url


@pytest.fixture
def task_runs() -> Callable[[Any], list[Any]]:
    """Returns the task runs of the flow run with a given final state, ordered by start time.

    Prefect learns of them through events, some after the end of the flow run: wait for `count` ended ones.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    def ask(state: Any, count: int = 1) -> list[Any]:
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))

        def ended() -> list[Any]:
            runs = client.read_task_runs(flow_run_filter=chosen)
            return (
                runs if sum(run.state is not None and run.state.is_final() for run in runs) >= count else []
            )

        with get_client(sync_client=True) as client:
            return sorted(wait_for(ended), key=lambda run: run.start_time)

    return ask


def alive(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    return alive

"""The whole pipeline as a user runs it: a copy of the project, `dvc repro`, and what DVC and MLflow promise.

The sample is real, the network small: NN4.Small2 and one epoch, so that a run takes about a minute.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tasks.reports import read_report

pytestmark = pytest.mark.slow

STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")
SMALL = {
    "align": {"image_size": 80},
    "train": {
        "network": "nn4_small2",
        "embedding_size": 64,
        "image_size": 66,
        "epochs": 1,
    },
    "register": {"gates": {"accuracy": 0.5, "coverage": 0.99}},
}


class Project:
    """A copy of the tracked files with shrunk parameters, a Git and DVC repository of its own."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
        for name in tracked.stdout.splitlines():
            if (root / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, folder / name)
        self.change(SMALL)
        self.run("git", "init", "--quiet")
        self.run("git", "add", ".")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "Begin")

    def change(self, sections: dict[str, dict[str, object]]) -> None:
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for section, fields in sections.items():
            params[section].update(fields)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def run(self, *command: str) -> str:
        programs = str(Path(sys.executable).parent)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FACENET_")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "DVC_SITE_CACHE_DIR": str(self.folder / ".dvc" / "site"),
            "PREFECT_HOME": str(self.folder / ".prefect"),
        }
        for server in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL"):
            environment.pop(server, None)
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def repro(self) -> list[str]:
        """Run `dvc repro` and return the stages that ran."""
        return re.findall(r"^Running stage '(\w+)'", self.run("dvc", "repro"), re.MULTILINE)


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(root, tmp_path_factory.mktemp("project"))
    assert project.repro() == list(STAGES)
    return project


def test_the_sample_goes_from_photos_to_a_registered_model(project: Project) -> None:
    reports = project.folder / "reports"
    assert read_report(reports / "ingest.json")["kept"] == 400
    assert read_report(reports / "align.json")["faces"] >= 396
    assert read_report(reports / "evaluation.json")["pairs_used"] == 900
    assert read_report(reports / "registration.json")["aliases"] == ["challenger"]
    table = project.run("facenet", "results")
    assert "facenet version 1" in table
    assert "challenger" in table


def test_a_second_run_runs_nothing(project: Project) -> None:
    assert project.repro() == []


def test_deleted_outputs_come_back_from_the_cache(project: Project) -> None:
    weights = (project.folder / "models" / "facenet.safetensors").read_bytes()
    shutil.rmtree(project.folder / "data")
    shutil.rmtree(project.folder / "models")
    assert project.repro() == []
    assert (project.folder / "models" / "facenet.safetensors").read_bytes() == weights
    assert list((project.folder / "data" / "aligned").glob("faces-*.arrow"))


def test_an_evaluation_parameter_runs_evaluate_and_what_follows(project: Project) -> None:
    project.change({"evaluate": {"sweep": "grid"}})
    assert project.repro() == ["evaluate", "register"]
    project.change({"evaluate": {"sweep": "exact"}})
    assert project.repro() == []  # both outcomes are in DVC's cache


def test_an_experiment_changes_one_number_and_shows_its_metrics(project: Project) -> None:
    out = project.run("dvc", "exp", "run", "-S", "evaluate.flip=none")
    assert re.findall(r"^Running stage '(\w+)'", out, re.MULTILINE) == ["evaluate", "register"]
    assert "accuracy" in project.run("dvc", "metrics", "show")
    project.change({"evaluate": {"flip": "concatenate"}})
    project.run("dvc", "repro")


def test_promotion_makes_the_champion(project: Project) -> None:
    project.run("python", "-m", "flows.promotion")
    assert "champion" in project.run("python", "-m", "flows.promotion", "show")

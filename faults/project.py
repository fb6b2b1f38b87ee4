"""A copy of this project, in which scenarios and tests run what a user would type."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from faults.errors import FaultFound

ROOT = Path(__file__).parents[1]
STEPS = ("fingerprint", "inputs")  # of DVC, which always run
# About a minute on two cores.
SMALL: Mapping[str, Mapping[str, Any]] = {
    "align": {"image_size": 80},
    "train": {"network": "nn4_small2", "embedding_size": 64, "image_size": 66, "epochs": 1},
    "register": {"gates": {"accuracy": 0.5, "coverage": 0.99}},
}


class Checkout:
    """A folder with the project and its own settings; those of this machine are not passed on.

    mirrors: FACENET_MIRRORS of its commands.
    """

    def __init__(self, folder: Path, mirrors: str = "") -> None:
        self.folder, self._mirrors = folder, mirrors
        environment = folder / ".venv"
        environment.mkdir()
        for name in ("bin", "lib", "pyvenv.cfg"):
            (environment / name).symlink_to(Path(sys.prefix) / name)
        (environment / ".ready").touch()

    def change(self, sections: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace single parameters of sections of params.yaml."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for section, fields in sections.items():
            params[section].update(fields)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def environment(self) -> dict[str, str]:
        """Return the environment of its commands."""
        ours = ("FACENET_", "MLFLOW_", "PREFECT_", "DVC_", "GIT_")
        passed = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        programs = Path(sys.executable).parent
        return {
            **passed,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "DVC_SITE_CACHE_DIR": str(self.folder / ".dvc" / "tmp" / "site"),
            "DVC_NO_ANALYTICS": "1",
            "DO_NOT_TRACK": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PREFECT_HOME": str(self.folder / ".prefect"),
            "FACENET_MIRRORS": self._mirrors,
        }

    def call(self, *command: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command in the folder, and return its exit code and its output, both streams in one."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment(), **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command in the folder, and return its output.

        Raises:
            FaultFound: it failed.
        """
        done = self.call(*command, env=env)
        if done.returncode:
            raise FaultFound(f"{' '.join(command)}\n{done.stdout[-4000:]}")
        return done.stdout

    def repro(self, *command: str) -> list[str]:
        """Run `dvc repro`, or `command`, and return the stages that ran, without the steps that always do."""
        ran = re.findall(r"^Running stage '(\w+)'", self.run(*(command or ("dvc", "repro"))), re.MULTILINE)
        return [stage for stage in ran if stage not in STEPS]

    def commit(self, message: str) -> None:
        """Commit all files that Git does not ignore."""
        self.run("git", "add", ".")
        self.run("git", *NAMED, "commit", "--quiet", "-m", message)


NAMED = ("-c", "user.name=faults", "-c", "user.email=faults@example.org")


def new_project(
    folder: Path, sections: Mapping[str, Mapping[str, Any]] = SMALL, *, mirrors: str = ""
) -> Checkout:
    """Return a new Git repository with the tracked files of this project and these parameters.

    mirrors: see `Checkout`.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    made = Checkout(folder, mirrors)
    made.change(sections)
    made.run("git", "init", "--quiet", "--initial-branch", "main")
    made.commit("Begin")
    return made

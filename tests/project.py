"""A copy of the project with its own parameters, in which tests run what a user would type."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml


class Project:
    """A copy of the tracked files as a new Git and DVC repository, with these tests' environment as .venv.

    mirrors: FACENET_MIRRORS of the commands that are run; this machine's settings are not passed on.
    """

    def __init__(self, root: Path, folder: Path, mirrors: str = "") -> None:
        self.folder, self._mirrors = folder, mirrors
        tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
        for name in tracked.stdout.splitlines():
            if (root / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, folder / name)
        self._link_environment()
        self.run("git", "init", "--quiet")
        self.run("git", "add", ".")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "Begin")

    def _link_environment(self) -> None:
        """Give the copy the environment of these tests as its .venv, ready for make."""
        (self.folder / ".venv").mkdir()
        for name in ("bin", "lib", "pyvenv.cfg"):
            (self.folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
        (self.folder / ".venv" / ".ready").touch()

    def change(self, sections: dict[str, dict[str, Any]]) -> None:
        """Replace single parameters of sections."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for section, fields in sections.items():
            params[section].update(fields)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def run(self, *command: str) -> str:
        """Run a command in the project and return what it printed; fail with its last lines if it fails."""
        programs = str(Path(sys.executable).parent)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FACENET_")},
            "FACENET_MIRRORS": self._mirrors,
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
        return done.stdout + done.stderr

    def repro(self, *command: str) -> list[str]:
        """Run `command`, or `dvc repro`, and return the stages that ran.

        The steps that always run, to fingerprint the files of ingest and train, are not among them.
        """
        out = self.run(*(command or ("dvc", "repro")))
        ran = re.findall(r"^Running stage '(\w+)'", out, re.MULTILINE)
        return [stage for stage in ran if stage not in ("fingerprint", "inputs")]

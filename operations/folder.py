"""The folder that holds everything of the servers: settings, secrets, data, logs."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from facenet.atomic import atomic_path

VARIABLE = "FACENET_SERVICES"
DEFAULT = ".services"
# Each process that the supervisor starts has it in its environment, with the folder as its value.
MARKER = "FACENET_SUPERVISED"
NAME = "FACENET_SERVICE"  # and the server that it belongs to, except the supervisor


@dataclass(frozen=True)
class Folder:
    """Paths in the folder of the servers; `path` is absolute."""

    path: Path

    @classmethod
    def chosen(cls) -> Self:
        """Return the folder in FACENET_SERVICES, by default .services in the working folder."""
        return cls(Path(os.environ.get(VARIABLE) or DEFAULT).absolute())

    def create(self) -> None:
        """Create the folder, private to this user.

        As root others may pass through it, but not list it: PostgreSQL runs as another user in there.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.logs, self.prefect, self.mlflow, self.s3):
            folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def lock(self) -> Path:
        """Locked while something starts or stops the servers."""
        return self.path / "lock"

    @property
    def settings(self) -> Path:
        """Ports and options of the last start."""
        return self.path / "settings.json"

    @property
    def secrets(self) -> Path:
        """The generated passwords."""
        return self.path / "secrets.json"

    @property
    def environment(self) -> Path:
        """A shell script with the variables that clients need."""
        return self.path / "env"

    @property
    def supervisor(self) -> Path:
        """The configuration of the supervisor."""
        return self.path / "supervisord.conf"

    @property
    def served(self) -> Path:
        """Which version of the model is served."""
        return self.path / "served.json"

    @property
    def logs(self) -> Path:
        """One log per server, rotated."""
        return self.path / "logs"

    @property
    def postgresql(self) -> Path:
        """The home of PostgreSQL, owned by the user that it runs as; the database is in `data`."""
        return self.path / "postgresql"

    @property
    def prefect(self) -> Path:
        """PREFECT_HOME of server and worker."""
        return self.path / "prefect"

    @property
    def mlflow(self) -> Path:
        """Artifacts of MLflow, and its databases if it has no PostgreSQL."""
        return self.path / "mlflow"

    @property
    def s3(self) -> Path:
        """The objects of the S3 store."""
        return self.path / "s3"

    def log(self, name: str) -> Path:
        """Return the log of a server."""
        return self.logs / f"{name}.log"


def write_private(path: Path, text: str) -> None:
    """Write a file atomically that only this user can read, at any moment."""
    with atomic_path(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(text)

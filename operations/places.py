"""What a backup holds: the state of workspace and servers that neither Git nor a stage brings back.

Outputs of stages are in DVC's cache, code is in Git, and data/cache can be computed again.
"""

import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operations.folder import Folder
from operations.sqlite import is_side_file

WORKSPACE, SERVICES, REMOTES = "workspace", "services", "remotes"  # folders in the backup
CACHE = Path(".dvc/cache")
# In this order: what names something is copied before what it names.
ENTRIES = (
    Path("dvc.lock"),
    Path("params.yaml"),
    Path(".dvc/config.local"),
    Path("mlflow.db"),
    Path("gallery"),  # of enrolled people, if it is the default one
    Path("reports"),  # among them promotions and sweeps, which are not outputs of stages
    Path("data/outbox"),
    Path(".prefect"),
    Path("mlartifacts"),
    CACHE,
)
# A clone in which `make setup` was run has them; a restore replaces them.
REPLACED = (Path("dvc.lock"), Path("params.yaml"), Path(".dvc/config.local"))


@dataclass(frozen=True)
class Places:
    """The folders of a workspace, its servers, and its DVC remotes in local folders by name."""

    workspace: Path
    services: Folder
    remotes: dict[str, Path]

    def entries(self) -> list[tuple[str, Path]]:
        """Return the path in the backup and the place of each file or folder, whether it exists or not."""
        services = self.services
        own = (
            services.settings,
            services.secrets,
            services.served,
            services.prefect,
            services.mlflow,
            services.s3,
        )
        return [
            *((f"{WORKSPACE}/{entry}", self.workspace / entry) for entry in ENTRIES),
            *((f"{SERVICES}/{path.name}", path) for path in own),
            *((f"{REMOTES}/{name}", path) for name, path in sorted(self.remotes.items())),
        ]


def find_places(workspace: Path, services: Folder) -> Places:
    """Return the places of the workspace."""
    return Places(workspace.absolute(), services, _remotes(workspace.absolute()))


def files(place: Path) -> Iterator[Path]:
    """Yield the files to back up in a place, sorted; none if it does not exist.

    Sockets and side files of databases are left out.
    """
    found = [place] if place.is_file() else sorted(place.rglob("*"))
    for path in found:
        if path.is_file() and not is_side_file(path):
            yield path


def _remotes(workspace: Path) -> dict[str, Path]:
    """Return the DVC remotes that are folders on this machine; relative paths start in .dvc."""
    config = configparser.ConfigParser(interpolation=None)
    config.read([workspace / ".dvc" / "config", workspace / ".dvc" / "config.local"])
    found = {}
    for section in config.sections():
        url = config[section].get("url", "")
        if section.startswith("'remote ") and url and "://" not in url:
            found[section.strip("'").removeprefix("remote ").strip('"')] = (
                workspace / ".dvc" / url
            ).resolve()
    return found

"""Artifacts in the folder of the workspace that belong to no run or model any more, such as deleted ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from tasks.forgetting.files import remove
from tasks.forgetting.inspection import Inspection, may_show_faces
from tasks.forgetting.located import files_below
from tasks.forgetting.person import Person
from tasks.forgetting.place import Finding
from tasks.forgetting.tracked import NAMED
from tasks.tracking import artifacts

FOLDERS = ("mlartifacts", "mlruns")  # of MLflow without a server
CODE = "code"  # of models: programs, with the documentation's pictures at most


@dataclass
class OrphanedArtifacts:
    """The files of the workspace `root` that MLflow has forgotten."""

    root: Path
    name: str = "orphaned artifacts"

    def find(self, person: Person) -> list[Finding]:
        """Return the files with anything of the person, and pictures: nobody knows what they show."""
        inspection = Inspection(person)
        return [Finding(str(path)) for path in self._files() if self._holds(path, inspection)]

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Remove them."""
        del person
        for finding in findings:
            remove(Path(finding.what))

    def _files(self) -> Iterator[Path]:
        owned = [_local(owner.location) for owner in artifacts.owners()]
        for folder in (self.root / name for name in FOLDERS):
            for path in files_below(folder) if folder.is_dir() else ():
                if not any(path.is_relative_to(place) for place in owned) and CODE not in path.parts:
                    yield path

    def _holds(self, path: Path, inspection: Inspection) -> bool:
        reported = any(folder.strip("/") in path.parts for folder in NAMED)
        return inspection.holds(path, names=reported) or (
            reported and may_show_faces(path.name, path.read_bytes())
        )


def _local(location: str) -> Path:
    """Return the path of artifacts on this machine; that of others leads nowhere."""
    return Path(unquote(urlparse(location).path)) if "://" in location else Path(location)

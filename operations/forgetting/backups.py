"""Backups: they are searched and named, never changed, since a backup with other bytes is a damaged one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from operations.errors import ServicesFailed
from operations.manifest import Manifest
from tasks.forgetting.inspection import Inspection
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding

BY_HAND = "delete it, and back up again; after a restore, run the command again"


@dataclass
class Backups:
    """The backups in these folders, or in folders directly below them."""

    folders: Sequence[Path]
    name: str = "backups"

    def find(self, person: Person) -> list[Finding]:
        """Return the backups that have files of the person.

        Raises:
            ServicesFailed: a folder is not a complete backup, and has none.
        """
        inspection, found = Inspection(person), []
        for backup in self._backups():
            manifest = Manifest.read(backup)
            count = sum(inspection.holds(backup / name) for name in sorted(manifest.files))
            if count:
                found.append(Finding(str(backup), Action.LEFT, f"of {manifest.made}: {BY_HAND}", count))
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Do nothing: all findings are left."""

    def _backups(self) -> list[Path]:
        found = []
        for folder in self.folders:
            inside = [folder, *(sorted(folder.iterdir()) if folder.is_dir() else ())]
            backups = [path for path in inside if (path / "manifest.json").is_file()]
            if not backups:
                raise ServicesFailed(f"{folder} is not a complete backup, and has none in it.")
            found += backups
        return found

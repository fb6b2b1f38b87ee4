"""The manifest of a backup: what it holds, with a digest of each file, and of which workspace it is."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from facenet.atomic import write_text
from facenet.digests import file_digest
from operations.errors import ServicesFailed

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of manifest.json.

    workspace, services: the absolute folders that were backed up. commit: of the workspace, "" without Git.
    versions: of the libraries that own the databases. remotes: folders of DVC remotes, by name.
    databases: PostgreSQL databases, each in databases/NAME.dump. files: sha256 by path in the backup.
    """

    workspace: str
    services: str
    commit: str
    made: str
    versions: dict[str, str]
    remotes: dict[str, str] = field(default_factory=dict)
    databases: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write the manifest into a backup."""
        write_text(folder / NAME, json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the manifest of a backup.

        Raises:
            ServicesFailed: it is missing, which an interrupted backup is recognised by, or not valid.
        """
        path = folder / NAME
        if not path.is_file():
            raise ServicesFailed(f"{folder} is not a complete backup: it has no {NAME}. Use another one.")
        try:
            fields = json.loads(path.read_text())
            if fields.get("format") != FORMAT:
                raise ServicesFailed(
                    f"{path} has the unsupported format {fields.get('format')!r}, expected {FORMAT}. Use the "
                    "version of this project that made the backup."
                )
            return cls(**fields)
        except (ValueError, TypeError, AttributeError) as error:
            raise ServicesFailed(f"{path} is not a valid manifest: {error}. Use another backup.") from error

    def verify(self, folder: Path, said: Callable[[str], None]) -> None:
        """Compare the digest of every file with the manifest.

        Raises:
            ServicesFailed: files are missing, damaged, or not in the manifest; the message names some.
        """
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {NAME}
        problems = [f"{name} is missing" for name in sorted(self.files.keys() - there)]
        problems += [f"{name} is not in {NAME}" for name in sorted(there - self.files.keys())]
        for name in sorted(self.files.keys() & there):
            if file_digest(folder / name) != self.files[name]:
                problems.append(f"{name} is damaged")
        if problems:
            more = f", and {len(problems) - 5} more" if len(problems) > 5 else ""
            raise ServicesFailed(f"The backup {folder} is damaged: {', '.join(problems[:5])}{more}.")
        said(f"{len(self.files)} files of the backup agree with their digests.")

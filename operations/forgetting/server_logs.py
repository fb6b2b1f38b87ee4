"""The logs of the servers of `make up`: lines with the person are removed; and the files of the S3 store.

Request logs have neither names nor digests; those of a worker can have names, in warnings of the stages.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from operations.folder import Folder
from tasks.forgetting.inspection import Inspection
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding

S3 = "SeaweedFS has the bytes of deleted objects until it compacts the volume: `weed shell`, volume.vacuum"


@dataclass
class ServerLogs:
    """The logs in the folder of the servers."""

    folder: Folder
    name: str = "server logs"

    def find(self, person: Person) -> list[Finding]:
        """Return the logs with lines that have a digest or a name, and volumes of the S3 store with bytes."""
        inspection = Inspection(person)
        logs = {path: len(_lines(path, inspection)) for path in _files(self.folder.logs)}
        found = [Finding(str(path), Action.REWRITE, count=count) for path, count in logs.items() if count]
        volumes = [path for path in _files(self.folder.s3) if inspection.holds(path, names=False)]
        return [*found, *(Finding(str(path), Action.LEFT, S3) for path in volumes)]

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Overwrite the lines in place by blanks: the supervisor has the file open, and appends to it."""
        inspection = Inspection(person)
        for finding in findings:
            if finding.action is Action.REWRITE:
                path = Path(finding.what)
                with path.open("rb+") as file:
                    for start, line in _lines(path, inspection):
                        os.pwrite(file.fileno(), b" " * (len(line) - 1), start)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def _lines(path: Path, inspection: Inspection) -> list[tuple[int, bytes]]:
    """Return place and bytes of the lines with anything of the person."""
    found, start = [], 0
    with path.open("rb") as file:
        for line in file:
            if inspection.holds_bytes(line):
                found.append((start, line))
            start += len(line)
    return found

"""Files of the folder labels/ with rows about the person, such as labels/decisions.csv: the rows are removed.

Git has the rows in its history, which only its own tools can rewrite.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet.atomic import write_text
from tasks import paths
from tasks.forgetting.inspection import Inspection
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding
from tasks.labels.forgotten import locked


@dataclass
class Decisions:
    """The CSV files next to the receipt of the workspace `root`."""

    root: Path
    name: str = "decisions"

    def find(self, person: Person) -> list[Finding]:
        """Return the files with rows that have a digest or a name of the person."""
        found = []
        for path in self._files():
            rows = _rows(path)
            count = len(rows) - len(_others(rows, person))
            if count:
                found.append(
                    Finding(str(path), Action.REWRITE, "rows are removed; Git's history has them", count)
                )
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Write the files again without these rows."""
        for finding in findings:
            path = Path(finding.what)
            with locked(path):
                buffer = io.StringIO()
                csv.writer(buffer, lineterminator="\n").writerows(_others(_rows(path), person))
                write_text(path, buffer.getvalue())

    def _files(self) -> Iterator[Path]:
        receipt = self.root / paths.FORGOTTEN
        for path in sorted(receipt.parent.glob("*.csv")):
            if path != receipt:
                yield path


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _others(rows: Sequence[list[str]], person: Person) -> list[list[str]]:
    """Return the header and the rows that have nothing of the person."""
    inspection, header = Inspection(person), rows[:1]
    return [*header, *(row for row in rows[1:] if not inspection.holds_row(header[0], row))]

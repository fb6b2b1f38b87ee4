"""Outputs of the stages that have the person: they are removed, and the next run writes them again.

Plots and pages with pictures are removed with them: a face in a picture cannot be recognised by its bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks import paths
from tasks.forgetting.files import remove
from tasks.forgetting.inspection import Inspection, may_show_faces
from tasks.forgetting.located import files_below
from tasks.forgetting.person import Person
from tasks.forgetting.place import Finding

WHOLE = (paths.RAW, paths.ALIGNED, paths.TRIPLETS, paths.EMBEDDINGS)  # removed with all that is in them
# Histories whose names are those of users, if any.
HISTORIES = ("promotion.json", "promotions.jsonl", "promotions-export.json")
AGAIN = "the next run writes it again"


@dataclass
class Outputs:
    """What stages write to data/, models/ and reports/ of the workspace `root`.

    A name counts where people of the data are named, not in the cards of models or the history of promotions,
    which can have that of a user.
    """

    root: Path
    name: str = "outputs"

    def find(self, person: Person) -> list[Finding]:
        """Return the folders and files with anything of the person, then the pictures of the same run."""
        inspection = Inspection(person)
        whole = [self.root / path for path in WHOLE if any(map(inspection.holds, self._files(path)))]
        others = [path for path, names in self._others() if inspection.holds(path, names=names)]
        found = [*whole, *others]
        if found:
            reports = (path for path in self._files(paths.REPORTS) if path not in others)
            found += [path for path in reports if may_show_faces(path.name, path.read_bytes())]
        return [Finding(str(path), note=AGAIN) for path in sorted(found)]

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Remove them: pictures first, which are found as long as anything else is."""
        del person
        pictures = [finding for finding in findings if self._is_picture(Path(finding.what))]
        for finding in [*pictures, *findings]:
            remove(Path(finding.what))

    def _is_picture(self, path: Path) -> bool:
        return path.is_file() and may_show_faces(path.name, path.read_bytes())

    def _others(self) -> Iterator[tuple[Path, bool]]:
        """Yield the other files, and whether a name in them counts."""
        yield from ((path, True) for path in self._files(paths.OUTBOX))
        yield from ((path, False) for path in self._files(paths.MODELS))
        yield from ((path, path.name not in HISTORIES) for path in self._files(paths.REPORTS))

    def _files(self, path: Path) -> Iterator[Path]:
        place = self.root / path
        if place.is_file():
            yield place
        elif place.is_dir():
            yield from (file for file in files_below(place) if file.is_file())

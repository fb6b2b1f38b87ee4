"""Outputs of the stages that have the person: they are removed, and the next run writes them again.

Plots and pages with pictures are removed with them: a face in a picture cannot be recognised by its bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks import paths
from tasks.forgetting.files import remove
from tasks.forgetting.inspection import Inspection, may_show_faces
from tasks.forgetting.journal import JOURNAL
from tasks.forgetting.located import files_below
from tasks.forgetting.person import Person
from tasks.forgetting.place import Finding

WHOLE = (paths.RAW, paths.ALIGNED, paths.TRIPLETS, paths.EMBEDDINGS)  # removed with all that is in them
AGAIN = "the next run writes it again"


@dataclass
class Outputs:
    """data/, models/ and reports/ of the workspace `root`, without caches and downloads."""

    root: Path
    name: str = "outputs"

    def find(self, person: Person) -> list[Finding]:
        """Return the folders and files with anything of the person, then the pictures of the same run."""
        inspection = Inspection(person)
        whole = [self.root / path for path in WHOLE if any(map(inspection.holds, self._files(path)))]
        others = [path for path in self._others() if inspection.holds(path)]
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

    def _others(self) -> Iterator[Path]:
        data = self.root / paths.DATA
        for folder in sorted(data.iterdir()) if data.is_dir() else ():
            inside = folder.relative_to(self.root)
            if inside not in (*WHOLE, paths.DOWNLOADS, paths.CACHE, JOURNAL.parent):
                yield from self._files(inside)
        yield from self._files(paths.MODELS)
        yield from self._files(paths.REPORTS)

    def _files(self, path: Path) -> Iterator[Path]:
        place = self.root / path
        if place.is_file():
            yield place
        elif place.is_dir():
            yield from (file for file in files_below(place) if file.is_file())

"""Folders of photos that ingest reads, such as photos/: files of the person, and the folder of that name."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks import paths
from tasks.forgetting.files import remove
from tasks.forgetting.inspection import batches
from tasks.forgetting.located import Located, files_below, is_inside
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding
from tasks.ingest.file_digests import FileDigests

OUTSIDE = "outside the workspace: remove the photos by hand; ingest refuses them until then"


@dataclass
class SourceFolders:
    """The folders among the sources of the workspace `root`."""

    root: Path
    sources: Sequence[Located]
    name: str = "sources"

    def find(self, person: Person) -> list[Finding]:
        """Return the files of the person; their digests become those of `person`.

        A file is the person's by its digest, or if it lies in a folder of that name and the manifest does not
        have it as the photo of somebody else.
        """
        self._digest = FileDigests(self.root / paths.DATA / "cache" / "ingest")
        others = photos_of_others(self.root / paths.MANIFEST, person)
        found: list[Finding] = []
        for source in self.sources:
            if not source.path.is_dir():
                continue
            theirs = list(self._theirs(source.path, person, others))
            if source.inside:
                for file in theirs:
                    found.append(Finding(str(file)))
                    if not is_inside(file, self.root):
                        found.append(Finding(str(file.resolve()), Action.LEFT, f"behind a link, {OUTSIDE}"))
            elif theirs:
                found.append(Finding(str(source.path), Action.LEFT, OUTSIDE, len(theirs)))
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Remove the files or links, and folders that are empty afterwards."""
        del person
        for finding in findings:
            if finding.action is Action.REMOVE:
                remove(Path(finding.what))
                _remove_empty(Path(finding.what).parent, {source.path for source in self.sources})

    def _theirs(self, root: Path, person: Person, others: Iterable[str]) -> Iterator[Path]:
        for path in files_below(root):
            folders = {unicodedata.normalize("NFC", part) for part in path.relative_to(root).parts}
            if path.is_symlink() and path.is_dir():
                if self._any_inside(path, folders, person, others):
                    yield path
            elif self._is_theirs(path, folders, person, others):
                yield path

    def _any_inside(self, link: Path, folders: set[str], person: Person, others: Iterable[str]) -> bool:
        inner = [path for path in files_below(link.resolve()) if not path.is_dir()]
        theirs = [self._is_theirs(path, folders, person, others) for path in inner]  # adds all photos
        return any(theirs)

    def _is_theirs(self, path: Path, folders: set[str], person: Person, others: Iterable[str]) -> bool:
        named = bool(folders & person.identities)
        if not path.is_file():  # a broken link, or a pipe
            return named
        digest = self._digest(path)
        theirs = digest in person.photos or (named and digest not in others)
        if theirs:
            person.add_photo(path.read_bytes())
        return theirs


def photos_of_others(manifest: Path, person: Person) -> set[str]:
    """Return the image_ids that a manifest has under the names of other people; none without a manifest."""
    if not manifest.exists():
        return set()
    found = set()
    for batch in batches(manifest, ["image_id", "identity"]):
        for row in batch.to_pylist():
            if row["identity"] is not None and row["identity"] not in person.identities:
                found.add(row["image_id"])
    return found


def _remove_empty(folder: Path, keep: Iterable[Path]) -> None:
    while folder not in keep and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent

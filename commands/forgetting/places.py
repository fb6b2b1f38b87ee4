"""All places of a workspace, in the order in which they are cleaned, and whom a request means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facenet.errors import FaceNetError
from flows.forgetting.dvc_store import DvcStore
from flows.forgetting.prefect_history import PrefectHistory
from operations.folder import Folder
from operations.forgetting.backups import Backups
from operations.forgetting.server_logs import ServerLogs
from service.gallery.forgetting import EnrolledPeople
from tasks import paths
from tasks.forgetting.archives import SourceArchives
from tasks.forgetting.arrays import SourceArrays
from tasks.forgetting.caches import Caches
from tasks.forgetting.decisions import Decisions
from tasks.forgetting.gathering import gather, workspace_tables
from tasks.forgetting.git_history import GitHistory
from tasks.forgetting.journal import Journal
from tasks.forgetting.leftovers import Leftovers
from tasks.forgetting.located import Located, locate_sources
from tasks.forgetting.orphans import OrphanedArtifacts
from tasks.forgetting.outputs import Outputs
from tasks.forgetting.place import Place
from tasks.forgetting.request import name_of, of_identity, of_photo
from tasks.forgetting.sources import SourceFolders
from tasks.forgetting.tracked import TrackedArtifacts
from tasks.forgetting.versions import Versions
from tasks.forgetting.work import Found, find
from tasks.labels.forgotten import now, read_forgotten
from tasks.params import load_params


class Interrupted(FaceNetError):
    """The forgetting of somebody else was interrupted, or none was."""


@dataclass
class Workplace:
    """A workspace with its sources, and the gallery and backups that the user names."""

    root: Path
    sources: Sequence[Located]
    model: str
    gallery: str | None = None
    backups: Sequence[Path] = ()
    _places: list[Place] = field(default_factory=list)

    @classmethod
    def open(cls, *, gallery: str | None, backups: Sequence[Path]) -> Workplace:
        """Return the workspace in the working folder.

        Raises:
            ParamsInvalid: params.yaml is missing or not valid.
        """
        params, root = load_params(), Path.cwd()
        sources = locate_sources(params.ingest.sources, root)
        return cls(root, sources, params.register.model, gallery, backups)

    def journal(self, identity: str | None, photo: str | None, *, why: str) -> Journal:
        """Return the journal of this person or photo, interrupted or new; both None: the interrupted one.

        Raises:
            Interrupted: that of somebody else has to be finished first, or there is none to finish.
            NobodyFound: there is no such person or photo.
        """
        before = Journal.read(self.root)
        if identity is None and photo is None:
            if before is None:
                raise Interrupted("Nothing was interrupted. Name a person, or a photo by --photo.")
            return before
        if before is not None and before.means(identity, photo):
            return before
        if before is not None:
            raise Interrupted(
                "Another forgetting was interrupted. Finish it first: facenet forget --resume --yes"
            )
        if identity is not None:
            enrolled = EnrolledPeople(self.gallery).people()
            person = of_identity(identity, self.root, self.sources, enrolled)
        else:
            person = of_photo(str(photo))
        pseudonym = read_forgotten(self.root / paths.FORGOTTEN).pseudonym(name_of(person, self.root))
        return Journal(person, pseudonym, now(), why)

    def search(self, journal: Journal) -> list[Found]:
        """Return what each place has; the person in the journal grows by digests, faces and embeddings."""
        person = journal.person
        find(self._of_sources(), person)
        gather(person, [*workspace_tables(self.root), *DvcStore(self.root).tables()])
        return find(self.places(journal), person)

    def places(self, journal: Journal) -> list[Place]:
        """Return the places: caches before the outputs that say whose their rows are, DVC before MLflow."""
        if not self._places:
            self._places = [
                *self._of_sources(),
                Caches(self.root),
                Outputs(self.root),
                Decisions(self.root),
                DvcStore(self.root),
                TrackedArtifacts(),
                OrphanedArtifacts(self.root),
                Versions(self.model, journal.pseudonym),
                EnrolledPeople(self.gallery),
                PrefectHistory(self.root),
                ServerLogs(Folder.chosen()),
                Leftovers(self.root, self.sources),
                GitHistory(self.root),
                Backups(self.backups),
            ]
        return self._places

    def _of_sources(self) -> list[Place]:
        kinds = (SourceFolders, SourceArchives, SourceArrays)
        return [kind(self.root, self.sources) for kind in kinds]

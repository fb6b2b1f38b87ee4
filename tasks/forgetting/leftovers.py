"""Everything else in the workspace: copies of photos and faces, tables, and files to edit by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet.digests import file_digest
from tasks import paths
from tasks.forgetting.files import remove, rewrite_table
from tasks.forgetting.inspection import Inspection, batches, column_names, is_table
from tasks.forgetting.journal import JOURNAL
from tasks.forgetting.located import PACKAGES, Located
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding

PROGRAMS = {".git", ".venv", ".venv-tools", "node_modules", "__pycache__", *PACKAGES}
# Other places take care of these.
COVERED = (
    Path(".dvc/cache"),
    Path(".prefect"),
    Path(".services"),
    Path("gallery"),
    Path("mlartifacts"),
    Path("mlruns"),
    Path("mlflow.db"),
    paths.FORGOTTEN.parent,
    JOURNAL.parent,
    paths.CACHE,
    paths.RAW,
    paths.ALIGNED,
    paths.TRIPLETS,
    paths.EMBEDDINGS,
    paths.OUTBOX,
    paths.MODELS,
    paths.REPORTS,
)
KEYS = ("sha256", "image_id", "digest", "face_sha256")
BY_HAND = "it has something of the person, and its format is not known: edit or remove it by hand"


@dataclass
class Leftovers:
    """The files of the workspace `root` that no other place takes care of, such as the `sources`."""

    root: Path
    sources: Sequence[Located] = ()
    name: str = "other files"

    def find(self, person: Person) -> list[Finding]:
        """Return the files with bytes or digests of the person; a name alone may be that of somebody else."""
        inspection = Inspection(person)
        held = [path for path in self._files() if inspection.holds(path, names=False)]
        return [self._finding(path, person) for path in held]

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Remove copies, and rows of tables."""
        for finding in findings:
            if finding.action is Action.REMOVE:
                remove(Path(finding.what))
            elif finding.action is Action.REWRITE:
                key = _key(Path(finding.what))
                rewrite_table(
                    Path(finding.what),
                    lambda batch, key=key: [  # type: ignore[misc]
                        _digest(value) not in person.digests for value in batch.column(key).to_pylist()
                    ],
                )

    def _finding(self, path: Path, person: Person) -> Finding:
        if file_digest(path) in person.digests or self._is_temporary(path):
            return Finding(str(path))
        if key := _key(path):
            values = (value for batch in batches(path, [key]) for value in batch.column(0).to_pylist())
            count = sum(_digest(value) in person.digests for value in values)
            if count:
                return Finding(str(path), Action.REWRITE, count=count)
        return Finding(str(path), Action.LEFT, BY_HAND)

    def _is_temporary(self, path: Path) -> bool:
        return path.is_relative_to(self.root / ".dvc" / "tmp") or path.name.startswith(".tmp-")

    def _files(self) -> Iterator[Path]:
        skipped = {*(self.root / path for path in COVERED), *(source.path for source in self.sources)}
        pending = [self.root]
        while pending:
            for path in sorted(pending.pop().iterdir()):
                if path in skipped or path.name in PROGRAMS or path.is_symlink():
                    continue
                if path.is_dir():
                    pending.append(path)
                elif path.is_file():
                    yield path


def _key(path: Path) -> str | None:
    names = column_names(path) if is_table(path) else []
    return next((key for key in KEYS if key in names), None)


def _digest(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

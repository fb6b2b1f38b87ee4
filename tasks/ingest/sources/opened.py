"""A source whose files are on this machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facenet.digests import file_digest
from facenet.errors import SourceInvalid
from facenet.evaluation.pairs import Pair, parse_pairs
from tasks.downloads import locate
from tasks.ingest.archives import Member
from tasks.ingest.records import Record, folded

THRESHOLD_FOLD = -1  # of pairs used only to choose the threshold


@dataclass(frozen=True)
class Opening:
    """How sources find their files.

    downloads: the folder for archives and lists. allow_overlap: ingest.allow_identity_overlap. download:
    whether files that are not on this machine are downloaded. digest: computes the sha256 of a file.
    located: the files and directories found so far.
    """

    downloads: Path
    allow_overlap: bool = False
    download: bool = True
    digest: Callable[[Path], str] = file_digest
    located: list[Path] = field(default_factory=list)

    def locate(self, name: str, *, sha256: str | None = None, urls: Sequence[str] = ()) -> Path:
        """Return the file or directory called `name`; see tasks.downloads.locate."""
        path = locate(
            name,
            sha256=sha256,
            urls=urls,
            downloads=self.downloads,
            download=self.download,
            digest=self.digest,
        )
        self.located.append(path)
        return path

    def read(self, name: str) -> bytes:
        """Return the bytes of the list called `name`.

        Raises:
            DownloadFailed: it was not found.
            SourceInvalid: it cannot be read.
        """
        path = self.locate(name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise SourceInvalid(f"The list {path} cannot be read: {error.strerror}.") from error

    def read_text(self, name: str) -> str:
        """Return the text of the list called `name`, which is UTF-8 with or without a byte order mark.

        Raises:
            SourceInvalid: it is not UTF-8.
        """
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceInvalid(f"{name}: expected UTF-8 text. Is it the right file?") from error

    def read_pairs(self, name: str) -> tuple[Pair, ...]:
        """Return the pairs of the LFW pairs file called `name`."""
        return tuple(parse_pairs(self.read(name), origin=name))


@dataclass(frozen=True)
class Opened:
    """A source, ready to be read.

    files: yields every file, given the maximum bytes of one. place: sets identity, role and attributes of the
    records of these files. pairs: its verification pairs; those used only to choose the threshold have fold
    -1. attributes: the names of the attributes, none if the source does not state any.
    """

    files: Callable[[int], Iterator[Member]]
    place: Callable[[Sequence[Record]], None]
    pairs: tuple[Pair, ...] = ()
    attributes: tuple[str, ...] = ()


def scored_people(pairs: Sequence[Pair]) -> set[str]:
    """Return the folded names of the people in scored pairs."""
    scored = [pair for pair in pairs if pair.fold != THRESHOLD_FOLD]
    return {folded(photo.identity) for pair in scored for photo in (pair.left, pair.right)}

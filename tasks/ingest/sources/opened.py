"""A source whose files are on this machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from facenet.evaluation.pairs import Pair, parse_pairs
from tasks.downloads import locate
from tasks.ingest.archives import Member
from tasks.ingest.records import Record, folded

THRESHOLD_FOLD = -1  # of pairs used only to choose the threshold


class Opening(NamedTuple):
    """What a source is opened with.

    downloads: the folder for archives and lists. allow_overlap: ingest.allow_identity_overlap.
    """

    downloads: Path
    allow_overlap: bool = False


@dataclass(frozen=True)
class Opened:
    """A source, ready to be read.

    files: yields every file, given the maximum bytes of one. place: sets identity and role of the records of
    these files. pairs: its verification pairs; those used only to choose the threshold have fold -1.
    """

    files: Callable[[int], Iterator[Member]]
    place: Callable[[Sequence[Record]], None]
    pairs: tuple[Pair, ...] = ()


def read_pairs(name: str, downloads: Path) -> tuple[Pair, ...]:
    """Return the pairs of the LFW pairs file called `name`."""
    return tuple(parse_pairs(locate(name, downloads=downloads).read_bytes(), origin=name))


def scored_people(pairs: Sequence[Pair]) -> set[str]:
    """Return the folded names of the people in scored pairs."""
    scored = [pair for pair in pairs if pair.fold != THRESHOLD_FOLD]
    return {folded(photo.identity) for pair in scored for photo in (pair.left, pair.right)}

"""The pairs to evaluate on, as rows of data/raw/pairs.parquet: names are resolved to photos, or null."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from facenet.errors import PairsFileInvalid
from facenet.evaluation.pair_generation import generate_pairs
from facenet.evaluation.pairs import Pair, PhotoName
from facenet.identity import fold_name
from tasks.ingest.decided import Decided
from tasks.ingest.records import NO_PHOTO, Record, folded
from tasks.labels.decision import MERGE
from tasks.labels.forgotten import Forgotten
from tasks.params.ingest import IngestParams

PAIRS_SCHEMA = pa.schema(
    {
        "left": pa.string(),
        "right": pa.string(),
        "same": pa.bool_(),
        "fold": pa.int32(),
        "left_name": pa.string(),
        "right_name": pa.string(),
    }
)

Row = Mapping[str, Any]

UNNUMBERED = 100_000_001  # the first number that _NUMBERED does not match

# "Name_0012" or "12": at most eight digits count, more are a time stamp or a serial number.
_NUMBERED = re.compile(r"(?:(.+?)[\W_]+)?0*([0-9]{1,8})", re.DOTALL)


def photo_names(records: Iterable[Record]) -> dict[PhotoName, Record]:
    """Return the photos by their names in LFW files, each under one name.

    A file called Name_0012 or 12, with any number of zeros, is number 12 of its person; case, accents and
    punctuation of Name do not matter. Of several files with one number, the first kept one gets it. All other
    files are numbered in the given order: from 1 if no file of the person has a number, else from 100000001,
    so that a pairs file never means one of them by a number that a missing file would have.
    """
    people: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.identity is not None and record.status not in NO_PHOTO:
            people[record.identity].append(record)
    return {
        PhotoName(identity, number): record
        for identity, photos in people.items()
        for number, record in _numbered(identity, photos)
    }


def _numbered(identity: str, photos: Sequence[Record]) -> Iterator[tuple[int, Record]]:
    owners: dict[int, Record] = {}
    for photo in sorted(photos, key=lambda photo: not photo.kept):
        number = _number(identity, photo)
        if number is not None:
            owners.setdefault(number, photo)
    numbered = {id(photo) for photo in owners.values()}
    others = (photo for photo in photos if id(photo) not in numbered)
    yield from owners.items()
    yield from enumerate(others, start=UNNUMBERED if owners else 1)


def _number(identity: str, photo: Record) -> int | None:
    """Return the number in the name of a file, None if it has none or the name is not its person's."""
    match = _NUMBERED.fullmatch(unicodedata.normalize("NFC", PurePosixPath(photo.path).stem))
    if match is None:
        return None
    is_theirs = match[1] in (None, identity) or fold_name(match[1]) == folded(identity)
    return int(match[2]) if is_theirs else None


def draw_pairs(names: Mapping[PhotoName, Record], params: IngestParams, seed: int) -> list[Pair]:
    """Return generated pairs of the kept photos with role evaluate; see `generate_pairs`.

    Of people whose names differ only in spelling, the one with most photos is used.
    """
    spellings: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
    for name, record in names.items():
        if record.kept and record.role == "evaluate":
            spellings[folded(name.identity)].setdefault(name.identity, []).append(name.number)
    photos = dict(
        max(people.items(), key=lambda item: (len(item[1]), item[0])) for people in spellings.values()
    )
    return generate_pairs(photos, folds=params.folds, pairs_per_fold=params.pairs_per_fold, seed=seed)


def check_different(pairs: Iterable[Pair], names: Mapping[PhotoName, Record]) -> None:
    """Check that no pair of different people has become one person by ingest.same_name merge.

    Raises:
        PairsFileInvalid: naming the pair.
    """
    for pair in pairs:
        left, right = names.get(pair.left), names.get(pair.right)
        if not pair.same and left and right and left.identity == right.identity:
            raise PairsFileInvalid(
                f"{pair.left} and {pair.right} are a pair of different people, but ingest.same_name merges "
                f"them into {left.identity}. Set ingest.same_name to warn, or remove the pair."
            )


def remembered(pairs: Iterable[Pair], names: Mapping[PhotoName, Record], forgotten: Forgotten) -> list[Pair]:
    """Return the pairs without those of forgotten people and photos, which their sources may still name."""
    pairs = list(pairs)
    if not forgotten.entries:
        return pairs
    missing = {photo for pair in pairs for photo in (pair.left, pair.right)} - names.keys()
    people = {name for name in {photo.identity for photo in missing} if forgotten.names(name)}
    gone = {photo for photo in missing if photo.identity in people or forgotten.names(str(photo))}
    return [pair for pair in pairs if not gone & {pair.left, pair.right}]


def undecided(pairs: Iterable[Pair], names: Mapping[PhotoName, Record], decided: Decided) -> list[Pair]:
    """Return the pairs without those that decisions made wrong.

    These are the pairs of photos that were dropped, moved or split off, since pairs name them by their
    folders, and the pairs of different people who were merged.
    """

    def stays(pair: Pair) -> bool:
        photos = [names[name] for name in (pair.left, pair.right) if name in names]
        routes = [decided.routes[id(photo)] for photo in photos if id(photo) in decided.routes]
        if any(route.dropped or any(step.action != MERGE for step in route.steps) for route in routes):
            return False
        one = len(photos) == 2 and folded(photos[0].identity or "") == folded(photos[1].identity or "")
        return pair.same or not (one and any(route.steps for route in routes))

    return [pair for pair in pairs if stays(pair)]


def pair_rows(
    pairs: Iterable[Pair], names: Mapping[PhotoName, Record], kept: Collection[str | None]
) -> list[Row]:
    """Return a row for each pair, in order; a photo that is missing, or not among the `kept` ids, is null."""

    def image_id(name: PhotoName) -> str | None:
        record = names.get(name)
        return record.image_id if record is not None and record.image_id in kept else None

    return [
        {
            "left": image_id(pair.left),
            "right": image_id(pair.right),
            "same": pair.same,
            "fold": pair.fold,
            "left_name": str(pair.left),
            "right_name": str(pair.right),
        }
        for pair in pairs
    ]


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without pairs of a photo with itself, and without all but the first of equal pairs.

    Pairs are equal in either order, within a fold, by the names of their photos or by the photos themselves:
    several names may have the same bytes.
    """
    seen: set[tuple[object, frozenset[object]]] = set()
    found = []
    for row in rows:
        names = (row["fold"], frozenset((row["left_name"], row["right_name"])))
        photos = (
            row["fold"],
            frozenset((row["left"] or row["left_name"], row["right"] or row["right_name"])),
        )
        if len(photos[1]) == 2 and not {names, photos} & seen:
            found.append(row)
        seen |= {names, photos}
    return found


def pairs_table(rows: Sequence[Row]) -> pa.Table:
    """Return the rows as the table of data/raw/pairs.parquet."""
    return pa.Table.from_pylist(list(rows), schema=PAIRS_SCHEMA)

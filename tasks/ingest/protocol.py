"""The pairs to evaluate on, as rows of data/raw/pairs.parquet: names are resolved to photos, or null."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import pyarrow as pa

from facenet.evaluation.pair_generation import generate_pairs
from facenet.evaluation.pairs import Pair, PhotoName
from tasks.ingest.records import NO_PHOTO, Record
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


def photo_names(records: Iterable[Record]) -> dict[PhotoName, Record]:
    """Return the photos by their names in LFW files.

    A file called Name_0012 or 12 is number 12 of its person. Where the files of a person have other names
    too, all of them are counted from 1, in the order of sources and paths.
    """
    people: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.identity is not None and record.status not in NO_PHOTO:
            people[record.identity].append(record)
    names: dict[PhotoName, Record] = {}
    for identity, photos in people.items():
        for number, record in zip(_numbers(identity, photos), photos, strict=True):
            former = names.setdefault(PhotoName(identity, number), record)
            if record.kept and not former.kept:
                names[PhotoName(identity, number)] = record
    return names


def _numbers(identity: str, photos: Sequence[Record]) -> list[int]:
    pattern = re.compile(rf"(?:{re.escape(identity)}_)?(\d{{1,9}})", re.ASCII)
    matches = [pattern.fullmatch(PurePosixPath(photo.path).stem) for photo in photos]
    found = [int(match[1]) for match in matches if match]
    one_source = len({photo.source for photo in photos}) == 1
    return found if one_source and len(found) == len(photos) else list(range(1, len(photos) + 1))


def draw_pairs(names: Mapping[PhotoName, Record], params: IngestParams, seed: int) -> list[Pair]:
    """Return generated pairs of the kept photos with role evaluate; see `generate_pairs`."""
    photos: defaultdict[str, list[int]] = defaultdict(list)
    for name, record in names.items():
        if record.kept and record.role == "evaluate" and name.number > 0:
            photos[name.identity].append(name.number)
    return generate_pairs(photos, folds=params.folds, pairs_per_fold=params.pairs_per_fold, seed=seed)


def pair_rows(
    pairs: Iterable[Pair], names: Mapping[PhotoName, Record], kept: Collection[str | None]
) -> list[dict[str, object]]:
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


def pairs_table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Return the rows as the table of data/raw/pairs.parquet."""
    return pa.Table.from_pylist(list(rows), schema=PAIRS_SCHEMA)

"""Source `lfw`: Labeled Faces in the Wild with its protocol, View 1 or View 2."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from facenet.evaluation.pairs import parse_people
from tasks.downloads import locate
from tasks.ingest.archives import members
from tasks.ingest.records import Record, folded
from tasks.ingest.sources.layout import place_by_folder
from tasks.ingest.sources.opened import THRESHOLD_FOLD, Opened, Opening, read_pairs, scored_people
from tasks.params.sources import LfwSource


def open_source(source: LfwSource, opening: Opening) -> Opened:
    """Find the archive and read the protocol.

    People on the training list who are also in a scored pair (people of View 1 are in the pairs of View 2) do
    not train, unless `allow_overlap`.
    """
    downloads = opening.downloads
    path = locate(source.archive, sha256=source.sha256, urls=source.urls, downloads=downloads)
    scored = read_pairs(source.pairs, downloads)
    threshold = read_pairs(source.threshold_pairs, downloads) if source.threshold_pairs else ()
    evaluated = set() if opening.allow_overlap else scored_people(scored)
    training = _people(source.train_people, downloads) if source.train_people else set()

    def place(records: Sequence[Record]) -> None:
        place_by_folder(records, wrapped=path.is_file())
        for record in records:
            if record.identity is not None:
                trains = record.identity in training and folded(record.identity) not in evaluated
                record.role = "train" if trains else "evaluate"

    pairs = (*scored, *(replace(pair, fold=THRESHOLD_FOLD) for pair in threshold))
    return Opened(partial(members, path), place, pairs)


def _people(name: str, downloads: Path) -> set[str]:
    return set(parse_people(locate(name, downloads=downloads).read_bytes(), origin=name))

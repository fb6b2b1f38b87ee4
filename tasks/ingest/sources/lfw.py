"""Source `lfw`: Labeled Faces in the Wild with its protocol, View 1 or View 2."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from facenet.evaluation.pairs import parse_people
from tasks.ingest.archives import members
from tasks.ingest.records import Record, folded
from tasks.ingest.sources.layout import place_by_folder
from tasks.ingest.sources.opened import THRESHOLD_FOLD, Opened, Opening, scored_people
from tasks.params.sources import LfwSource


def open_source(source: LfwSource, opening: Opening) -> Opened:
    """Find the archive and read the protocol.

    People on the training list who are also in a scored pair (people of View 1 are in the pairs of View 2) do
    not train, unless `allow_overlap`.
    """
    path = opening.locate(source.archive, sha256=source.sha256, urls=source.urls)
    scored = opening.read_pairs(source.pairs)
    threshold = opening.read_pairs(source.threshold_pairs) if source.threshold_pairs else ()
    evaluated = set() if opening.allow_overlap else scored_people(scored)
    training = _people(source.train_people, opening) if source.train_people else set()

    def place(records: Sequence[Record]) -> None:
        place_by_folder(records, wrapped=path.is_file())
        for record in records:
            if record.identity is not None:
                trains = folded(record.identity) in training and folded(record.identity) not in evaluated
                record.role = "train" if trains else "evaluate"

    pairs = (*scored, *(replace(pair, fold=THRESHOLD_FOLD) for pair in threshold))
    return Opened(partial(members, path), place, pairs)


def _people(name: str, opening: Opening) -> set[str]:
    return {folded(person) for person in parse_people(opening.read(name), origin=name)}

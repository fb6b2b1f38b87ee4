"""Source `folder`: a directory, tar or zip with one folder per person."""

from collections.abc import Sequence
from functools import partial

from tasks.ingest.archives import members
from tasks.ingest.records import Record, folded
from tasks.ingest.sources.layout import place_by_folder
from tasks.ingest.sources.opened import Opened, Opening, scored_people
from tasks.params.sources import FolderSource


def open_source(source: FolderSource, opening: Opening) -> Opened:
    """Find the folder or archive and read its pairs file."""
    path = opening.locate(source.path, sha256=source.sha256, urls=source.urls)
    pairs = opening.read_pairs(source.pairs) if source.pairs else ()
    evaluated = scored_people(pairs)

    def place(records: Sequence[Record]) -> None:
        place_by_folder(records, wrapped=path.is_file())
        for record in records:
            if record.identity is not None:
                record.role = "evaluate" if folded(record.identity) in evaluated else source.role

    return Opened(partial(members, path), place, pairs)

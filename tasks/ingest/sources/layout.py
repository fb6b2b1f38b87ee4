"""Identities from folder names: one folder per person."""

import unicodedata
from collections.abc import Sequence

from tasks.ingest.records import NO_PHOTO, NOBODYS, Record


def place_by_folder(records: Sequence[Record], *, wrapped: bool) -> None:
    """Set the identity of every file in a person's folder; photos elsewhere are rejected as `misplaced`.

    wrapped: the source is an archive, in which one or more outer folders may contain the folders of people.
    """
    depth = _wrapper([record.path.split("/") for record in records if record.status not in NO_PHOTO])
    depth = depth if wrapped else 0
    for record in records:
        parts = record.path.split("/")
        if len(parts) == depth + 2:
            if record.status not in NOBODYS:
                record.identity = unicodedata.normalize("NFC", parts[depth])
        elif record.kept:
            where = "outside the folders of people" if len(parts) < depth + 2 else "in a folder too deep"
            record.reject("misplaced", f"The photo lies {where}: photos must be in one folder per person.")


def _wrapper(paths: list[list[str]]) -> int:
    """Return the number of outer folders, above the first one with half of the photos directly in it."""
    depth = 0
    while paths:
        folders = {parts[depth] if len(parts) > depth + 1 else None for parts in paths}
        direct = sum(len(parts) == depth + 2 for parts in paths)
        if len(folders) > 1 or None in folders or 2 * direct >= len(paths):
            break
        depth += 1
    return depth

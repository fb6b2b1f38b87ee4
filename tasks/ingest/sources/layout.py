"""Whose photo a file is, told by the folder it lies in."""

import unicodedata
from collections.abc import Sequence

from tasks.ingest.records import NO_PHOTO, Record


def place_by_folder(records: Sequence[Record], *, wrapped: bool) -> None:
    """Set the identity of every file in the folder of a person; photos elsewhere are rejected as `misplaced`.

    wrapped: the source is an archive, in which the folders of people may lie in one more folder, or several.
    """
    depth = _wrapper([record.path.split("/") for record in records if record.status not in NO_PHOTO])
    depth = depth if wrapped else 0
    for record in records:
        parts = record.path.split("/")
        if len(parts) == depth + 2:
            record.identity = unicodedata.normalize("NFC", parts[depth])
        elif record.kept:
            record.reject("misplaced", "Photos must lie in the folders of people, one folder a person.")


def _wrapper(paths: list[list[str]]) -> int:
    """Return how many folders all photos share that are no person's: fewer than half lie directly in them."""
    depth = 0
    while paths:
        folders = {parts[depth] if len(parts) > depth + 1 else None for parts in paths}
        direct = sum(len(parts) == depth + 2 for parts in paths)
        if len(folders) > 1 or None in folders or 2 * direct >= len(paths):
            break
        depth += 1
    return depth

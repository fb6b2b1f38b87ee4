"""The message for sources without a usable photo: what was found, and how photos must lie."""

import logging
from collections.abc import Sequence

from tasks.ingest.archives import LAYOUT
from tasks.ingest.records import NO_PHOTO, Record

logger = logging.getLogger(__name__)


def warn_of_useless_sources(records: Sequence[Record]) -> None:
    """Log a warning for each source with files but without a usable photo, if others have some."""
    sources: dict[str, list[Record]] = {}
    for record in records:
        sources.setdefault(record.source, []).append(record)
    for name, found in sources.items():
        if not any(record.kept for record in found):
            logger.warning("Source %s: %s", name, no_usable_photo(found))


def no_usable_photo(records: Sequence[Record]) -> str:
    """Return why no photo of the sources is usable, with an example of each reason."""
    if not records:
        return f"The sources have no files. {LAYOUT}"
    lines = [f"No photo is usable. Files found: {len(records)}."]
    for status in sorted({record.status for record in records}):
        group = [record for record in records if record.status == status]
        lines.append(f"  {len(group)} {status}, such as {group[0].place}: {group[0].reason}")
    return "\n".join([*lines, *_fix(records), LAYOUT])


def _fix(records: Sequence[Record]) -> list[str]:
    """Return what to do if all photos lie in one outer folder of a source, one level too deep."""
    photos = [record.path.split("/") for record in records if record.status not in NO_PHOTO]
    outer = {parts[0] for parts in photos}
    if len(outer) == 1 and all(len(parts) > 2 for parts in photos):
        return [f"The folders of people lie in the folder {outer.pop()}: add it to the path of the source."]
    return []

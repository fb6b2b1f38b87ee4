"""The kinds of sources in params.yaml: which files they bring, whose photos they are, and who is evaluated.

Each kind has a module of its name in this package with a function `open_source(source, opening)`, and a class
in tasks/params/sources.py. Nothing else needs to change for a new kind.
"""

from collections import Counter
from collections.abc import Sequence
from importlib import import_module

from tasks.ingest.sources.opened import Opened, Opening
from tasks.params.sources import Source

__all__ = ["Opened", "Opening", "open_source", "source_names"]


def open_source(source: Source, opening: Opening) -> Opened:
    """Return a source with its archives found or downloaded, and its lists read.

    Raises:
        DownloadFailed: a file was not found anywhere.
        PairsFileInvalid, SourceInvalid: a list is not in the expected format.
    """
    opened: Opened = import_module(f"{__name__}.{source.kind}").open_source(source, opening)
    return opened


def source_names(sources: Sequence[Source]) -> list[str]:
    """Return the name of each source in the manifest: its kind, numbered from the second on."""
    count: Counter[str] = Counter()
    names = []
    for source in sources:
        count[source.kind] += 1
        names.append(source.kind if count[source.kind] == 1 else f"{source.kind}-{count[source.kind]}")
    return names

"""The kinds of sources in params.yaml: which files they bring, whose they are, and who is evaluated."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tasks.ingest.sources.celeba import open_celeba
from tasks.ingest.sources.folder import open_folder
from tasks.ingest.sources.lfw import open_lfw
from tasks.ingest.sources.opened import Opened
from tasks.ingest.sources.orl import open_orl
from tasks.params.sources import CelebaSource, FolderSource, LfwSource, Source

__all__ = ["Opened", "open_source", "source_names"]


def open_source(source: Source, downloads: Path, *, allow_overlap: bool) -> Opened:
    """Return a source with its archives found or downloaded, and its lists read.

    Raises:
        DownloadFailed: a file is nowhere to be had.
        PairsFileInvalid, SourceInvalid: a list is not in its format.
    """
    if isinstance(source, FolderSource):
        return open_folder(source, downloads)
    if isinstance(source, LfwSource):
        return open_lfw(source, downloads, allow_overlap=allow_overlap)
    if isinstance(source, CelebaSource):
        return open_celeba(source, downloads)
    return open_orl()


def source_names(sources: Sequence[Source]) -> list[str]:
    """Return the name of each source in the manifest: its kind, numbered from the second of a kind on."""
    count: Counter[str] = Counter()
    names = []
    for source in sources:
        count[source.kind] += 1
        names.append(source.kind if count[source.kind] == 1 else f"{source.kind}-{count[source.kind]}")
    return names

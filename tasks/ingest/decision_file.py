"""Find and read the file that ingest.decisions names."""

from pathlib import Path

from facenet.errors import DownloadFailed, SourceInvalid
from tasks.downloads import locate
from tasks.labels.decision import HEADER, Decision
from tasks.labels.decisions import read_decisions
from tasks.params.ingest import IngestParams
from tasks.paths import DECISIONS, DOWNLOADS


def find_decisions(params: IngestParams, downloads: Path = DOWNLOADS) -> Path | None:
    """Return the file of decisions, None if there is none to apply.

    The default file may be missing outside a project; in one, it is a dependency that DVC misses.

    Raises:
        SourceInvalid: ingest.decisions names a file that does not exist.
    """
    if params.decisions is None:
        return None
    try:
        return locate(params.decisions, downloads=downloads, download=False)
    except DownloadFailed as error:
        if params.decisions == str(DECISIONS):
            return None
        raise SourceInvalid(
            f"ingest.decisions names {params.decisions}, which does not exist. Restore it with `git checkout "
            f"{params.decisions}`, create it with the line {','.join(HEADER)}, or set "
            "ingest.decisions to null."
        ) from error


def open_decisions(params: IngestParams, downloads: Path = DOWNLOADS) -> list[Decision]:
    """Return the decisions to apply.

    Raises:
        DataInvalid: a row is not valid, or rows contradict each other; the message names the line.
        SourceInvalid: ingest.decisions names a file that does not exist.
    """
    path = find_decisions(params, downloads)
    return read_decisions(path) if path else []

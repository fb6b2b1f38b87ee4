"""Fingerprint what ingest would read: `python -m tasks.ingest.fingerprint`.

DVC always runs this step, and runs ingest if data/fingerprint.json has changed. Files are found and walked by
ingest's own rules: DVC never hashes what ingest rejects, and changes are noticed wherever photos and lists
are, also behind links.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from facenet.atomic import write_text
from facenet.errors import DownloadFailed
from tasks import paths
from tasks.entry import stage_main
from tasks.ingest.archives import check_format
from tasks.ingest.decision_file import find_decisions, open_decisions
from tasks.ingest.directory import walk
from tasks.ingest.file_digests import FileDigests
from tasks.ingest.sources import Opening, open_source, source_names
from tasks.labels.forgotten import read_forgotten
from tasks.params import load_params
from tasks.params.ingest import IngestParams

logger = logging.getLogger(__name__)

Digest = Callable[[Path], str]


def fingerprint(
    params: IngestParams,
    target: Path,
    *,
    downloads: Path = paths.DOWNLOADS,
    cache: Path | None = None,
    receipt: Path = paths.FORGOTTEN,
) -> None:
    """Write the digest of each source to `target`, and that of the photos that were forgotten, if any.

    Also of the file of decisions, if ingest.decisions names another one than DVC knows. It is checked here,
    before DVC removes the former manifest.

    A directory counts by the names and digests of the files that ingest would read and by the names of those
    it rejects, except hidden ones; an archive or list counts by its bytes. Digests are cached in `cache`, by
    default the folder "cache" next to `target`. A source that is not on this machine keeps the entry of the
    last run, since its outputs may come from DVC's cache; without an entry it is downloaded.

    Raises:
        DataInvalid, DownloadFailed, PairsFileInvalid, SourceInvalid: as in the stage.
    """
    forgotten = read_forgotten(receipt)
    open_decisions(params, downloads)
    decisions = find_decisions(params, downloads) if params.decisions != str(paths.DECISIONS) else None
    digests = FileDigests((cache or target.parent / "cache") / "ingest")
    former = _read(target)
    entries = []
    for name, source in zip(source_names(params.sources), params.sources, strict=True):
        settings = {"source": name, "parameters": source.model_dump(mode="json")}

        def located(download: bool, source: Any = source) -> Iterable[Path]:
            opening = Opening(downloads, download=download, digest=digests)
            open_source(source, opening)
            return opening.located

        try:
            found = located(False)
        except DownloadFailed:
            same = next((entry for entry in former if settings.items() <= entry.items()), None)
            if same is not None:
                logger.warning("Source %s is not on this machine; it is assumed to be unchanged.", name)
                entries.append(same)
                continue
            found = located(True)
        entries.append(settings | _entry(found, params.max_file_bytes, digests))
    content = {
        "sources": entries,
        **({"forgotten": forgotten.sha256} if forgotten.entries else {}),
        **({"decisions": digests(decisions)} if decisions else {}),
    }
    digests.write()
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(target, f"{text}\n")


def _read(target: Path) -> list[Mapping[str, Any]]:
    """Return the entries of the last run, none if the file is missing or damaged."""
    if not target.exists():
        return []
    try:
        entries = json.loads(target.read_text())["sources"]
        return [entry for entry in entries if "sha256" in entry]
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s is damaged and will be written again: %s.", target, error)
        return []


def _entry(found: Iterable[Path], max_file_bytes: int, digest: Digest) -> dict[str, Any]:
    overall, files = hashlib.sha256(), 0
    for line in (line for path in found for line in _lines(path, max_file_bytes, digest)):
        overall.update(line.encode())
        files += 1
    return {"files": files, "sha256": overall.hexdigest()}


def _lines(path: Path, max_file_bytes: int, digest: Digest) -> Iterator[str]:
    """Yield one line for each file that counts: its name, and its digest or why it is rejected."""
    if not path.is_dir():
        check_format(path)  # before DVC removes the former manifest to run ingest
        yield f"\0{digest(path)}\n"
        return
    for entry in walk(path, max_file_bytes):
        status = entry.refused[0] if entry.refused else ""
        if status == "hidden":  # such as the lock of an open editor: it comes and goes
            continue
        try:
            yield f"{entry.name}\0{status or digest(entry.path)}\n"
        except OSError:
            yield f"{entry.name}\0unreadable\n"


def main() -> None:
    """Fingerprint the sources of params.yaml."""
    fingerprint(load_params().ingest, paths.FINGERPRINT)


if __name__ == "__main__":
    stage_main(main)

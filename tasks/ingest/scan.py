"""Read and judge every file of every source once."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from tqdm import tqdm

from tasks.ingest.inspection import judge_all
from tasks.ingest.photos import Limits, Verdict, judge
from tasks.ingest.records import FORGOTTEN, Record
from tasks.ingest.sources import Opened
from tasks.ingest.spool import Spool
from tasks.ingest.verdict_cache import VerdictCache
from tasks.params.ingest import IngestParams

_KILLED = Verdict("corrupt", "Decoding it kills the worker process.")


def scan(
    sources: Sequence[tuple[str, Opened]],
    params: IngestParams,
    spool: Spool,
    cache: VerdictCache,
    workers: int,
    *,
    refused: Collection[str] = (),
) -> tuple[list[Record], dict[str, int]]:
    """Return a record for each file, in the order of sources and paths, and add usable photos to the spool.

    Also returns how many files were decoded, and how many verdicts were reused. A photo is spooled under its
    image_id: its original bytes if they are an upright 8-bit RGB JPEG or PNG, else a PNG of its pixels. Equal
    bytes are decoded once.

    refused: the image_ids of forgotten photos, which are not decoded; their records have neither image_id nor
    identity.
    """
    reading = _Reading(sources, params.max_file_bytes, spool, cache, refused)
    verdict_on = partial(judge, limits=limits(params))
    for record, data, verdict in judge_all(verdict_on, reading.new(), workers=workers, if_killed=_KILLED):
        reading.note(record, data, verdict)
    return reading.finish(), reading.counts


def limits(params: IngestParams) -> Limits:
    """Return the limits on each photo."""
    return Limits(params.min_side, params.max_pixels)


class _Reading:
    """The state of reading: turns the files of all sources into records."""

    def __init__(
        self,
        sources: Sequence[tuple[str, Opened]],
        max_file_bytes: int,
        spool: Spool,
        cache: VerdictCache,
        refused: Collection[str],
    ) -> None:
        self._sources, self._max_file_bytes = sources, max_file_bytes
        self._spool, self._cache, self._refused = spool, cache, refused
        self._placed: list[list[Record]] = []
        self._first: dict[str, Record] = {}
        self._again: list[tuple[Record, str]] = []
        self._bar = tqdm(desc="ingest", unit=" photos", mininterval=1)
        self.counts = {"decoded": 0, "reused": 0}

    def new(self) -> Iterator[tuple[Record, bytes]]:
        """Yield the files without a verdict."""
        for name, source in self._sources:
            self._placed.append([])
            for member in source.files(self._max_file_bytes):
                record = Record(name, member.path)
                self._placed[-1].append(record)
                if member.data is None:
                    record.reject(member.status, member.reason)
                elif self._is_new(record, member.data):
                    self.counts["decoded"] += 1
                    yield record, member.data

    def _is_new(self, record: Record, data: bytes) -> bool:
        image_id = hashlib.sha256(data).hexdigest()
        record.image_id, record.bytes = image_id, len(data)
        if image_id in self._refused:
            record.reject(FORGOTTEN, "A photo of these bytes was forgotten: see labels/forgotten.csv.")
            return False
        if self._first.setdefault(image_id, record) is not record:
            self._again.append((record, image_id))
            return False
        verdict = self._cache.get(image_id)
        if verdict is None:
            return True
        self.counts["reused"] += 1
        self.note(record, data, verdict)
        return False

    def note(self, record: Record, data: bytes, verdict: Verdict) -> None:
        """Copy the verdict to the record, cache it, and spool the photo."""
        assert record.image_id is not None
        _copy(verdict, record)
        if verdict != _KILLED:  # it may have run out of memory
            self._cache.add(record.image_id, verdict)
        if record.kept:
            self._spool.add(record.image_id, verdict.png or data)
        self._bar.update()

    def finish(self) -> list[Record]:
        """Return all records, with their identities."""
        self._bar.close()
        for record, image_id in self._again:
            _copy(self._first[image_id], record)
        for (_, source), records in zip(self._sources, self._placed, strict=True):
            _supersede(records)
            records.sort(key=lambda record: record.path)
            source.place(records)
            for record in records:
                if record.status == FORGOTTEN:
                    record.forget()
        return [record for records in self._placed for record in records]


def _supersede(records: Sequence[Record]) -> None:
    """Reject all but the last file of a path that is in an archive several times, as unpacking it would."""
    last = {record.path: record for record in records}
    for record in records:
        if record is not last[record.path]:
            record.reject("superseded", "The archive has a later file of the same path.")


def _copy(verdict: Verdict | Record, record: Record) -> None:
    record.status, record.reason, record.mode = verdict.status, verdict.reason, verdict.mode
    record.width, record.height = verdict.width, verdict.height

"""Read every file of every source once, and find out what it is."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial

from tqdm import tqdm

from tasks.ingest.photos import Limits, Verdict, judge
from tasks.ingest.records import Record
from tasks.ingest.sources import Opened
from tasks.ingest.spool import Spool
from tasks.ingest.workers import judge_all
from tasks.params import IngestParams

_KILLED = Verdict("corrupt", "Decoding it kills the process that tries.")


def scan(
    sources: Sequence[tuple[str, Opened]], params: IngestParams, spool: Spool, workers: int
) -> list[Record]:
    """Return a record for each file, in the order of sources and paths, and put usable photos into the spool.

    sources: names and sources. A photo is spooled under its image_id as its own bytes if they are an upright
    8-bit RGB JPEG or PNG, else as a PNG of its pixels. Bytes that come again are not decoded again.
    """
    placed: list[list[Record]] = []
    first: dict[str, Record] = {}
    again: list[Record] = []

    def fresh() -> Iterator[tuple[Record, bytes]]:
        for name, source in sources:
            placed.append([])
            for member in source.files(params.max_file_bytes):
                record = Record(name, member.path)
                placed[-1].append(record)
                if member.data is None:
                    record.reject(member.status, member.reason)
                    continue
                record.image_id, record.bytes = hashlib.sha256(member.data).hexdigest(), len(member.data)
                if first.setdefault(record.image_id, record) is record:
                    yield record, member.data
                else:
                    again.append(record)

    verdict_on = partial(judge, limits=Limits(params.min_side, params.max_pixels))
    judged = judge_all(verdict_on, fresh(), workers=workers, if_killed=_KILLED)
    for record, data, verdict in tqdm(judged, desc="ingest", unit=" photos", mininterval=1):
        _note(record, verdict)
        if record.kept and record.image_id is not None:
            spool.add(record.image_id, verdict.png or data)
    for record in again:
        _note(record, first[record.image_id or ""])
    for (_, source), records in zip(sources, placed, strict=True):
        records.sort(key=lambda record: record.path)
        source.place(records)
    return [record for records in placed for record in records]


def _note(record: Record, verdict: Verdict | Record) -> None:
    record.status, record.reason, record.mode = verdict.status, verdict.reason, verdict.mode
    record.width, record.height = verdict.width, verdict.height

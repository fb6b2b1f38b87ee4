"""Judge many photos in worker processes: in order, in bounded memory, even if a photo kills its worker."""

import hashlib
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from tasks.workers import run_jobs
from tasks.workers.team import scheduler_address

CHUNK_FILES, CLUSTER_CHUNK_FILES = 32, 256  # a Dask job costs 0.15 s
CHUNK_BYTES = 8 * 2**20

Item = TypeVar("Item")
Result = TypeVar("Result")
Chunk = list[bytes]


def judge_all(
    judge: Callable[[bytes], Result],
    files: Iterable[tuple[Item, bytes]],
    *,
    workers: int,
    if_killed: Result,
) -> Iterator[tuple[Item, bytes, Result]]:
    """Yield each item with its bytes and the result of `judge` on them, in order.

    `judge` must be importable in a new process. A file that kills every process that judges it gets
    `if_killed`.
    """
    items: deque[Item] = deque()

    def numbered() -> Iterator[bytes]:
        for item, data in files:
            items.append(item)
            yield data

    judged = run_jobs(
        partial(_make_judge, judge),
        _chunks(numbered()),
        workers,
        split=lambda chunk: [[data] for data in chunk],
        name=_name,
        if_killed=lambda _: [if_killed],
        weigh=lambda chunk: sum(map(len, chunk)),
    )
    for chunk, results in judged:
        for data, result in zip(chunk, results, strict=True):
            yield items.popleft(), data, result


def _chunks(files: Iterable[bytes]) -> Iterator[Chunk]:
    most = CLUSTER_CHUNK_FILES if scheduler_address() else CHUNK_FILES
    chunk: Chunk = []
    held = 0
    for data in files:
        chunk.append(data)
        held += len(data)
        if len(chunk) == most or held >= CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _name(chunk: Chunk) -> str:
    return f"{len(chunk)} photos, the first one with sha256 {hashlib.sha256(chunk[0]).hexdigest()}"


def _make_judge(judge: Callable[[bytes], Result]) -> Callable[[Sequence[bytes]], list[Result]]:
    warnings.filterwarnings("ignore", module="PIL")  # the manifest has the verdicts
    return partial(_judge_chunk, judge)


def _judge_chunk(judge: Callable[[bytes], Result], files: Sequence[bytes]) -> list[Result]:
    return [judge(data) for data in files]

"""Judge many photos in worker processes: in order, in bounded memory, whatever a photo does to its worker."""

import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Generic, TypeVar

from facenet.errors import ParamsInvalid

WORKERS = "FACENET_WORKERS"
CHUNK_FILES = 32
CHUNK_BYTES = 8 * 2**20
BYTES_UNDER_WAY = 128 * 2**20

Item = TypeVar("Item")
Result = TypeVar("Result")
Chunk = list[tuple[Item, bytes]]


def worker_count() -> int:
    """Return the number of processes: FACENET_WORKERS, else the processors that this process may use.

    Raises:
        ParamsInvalid: FACENET_WORKERS is no number from 1.
    """
    text = os.environ.get(WORKERS)
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or int(text) < 1:
        raise ParamsInvalid(f"{WORKERS} is {text!r}; it must be a number of processes, 1 or more.")
    return int(text)


def judge_all(
    judge: Callable[[bytes], Result],
    files: Iterable[tuple[Item, bytes]],
    *,
    workers: int,
    if_killed: Result,
) -> Iterator[tuple[Item, bytes, Result]]:
    """Yield each item with its bytes and `judge` of them, in order.

    `judge` must be importable by a new process. About 128 MB of files, or one if it is larger, are under way
    at a time. When a worker dies, its files are judged once more, each alone; one that kills that process too
    gets `if_killed`.
    """
    if workers == 1:
        yield from ((item, data, judge(data)) for item, data in files)
        return
    team = _Team(judge, workers, if_killed)
    pending: deque[tuple[Chunk[Item], Future[list[Result]]]] = deque()
    try:
        for chunk in _chunks(files):
            pending.append((chunk, team.start([data for _, data in chunk])))
            while _too_many(pending, 2 * workers):
                yield from team.finish(*pending.popleft())
        while pending:
            yield from team.finish(*pending.popleft())
    finally:
        team.dismiss()


def _chunks(files: Iterable[tuple[Item, bytes]]) -> Iterator[Chunk[Item]]:
    chunk: Chunk[Item] = []
    held = 0
    for item, data in files:
        chunk.append((item, data))
        held += len(data)
        if len(chunk) == CHUNK_FILES or held >= CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _too_many(pending: Iterable[tuple[Chunk[Item], Future[list[Result]]]], chunks: int) -> bool:
    sizes = [sum(len(data) for _, data in chunk) for chunk, _ in pending]
    return len(sizes) > chunks or (len(sizes) > 1 and sum(sizes) > BYTES_UNDER_WAY)


class _Team(Generic[Result]):
    """Worker processes, replaced when one of them dies."""

    def __init__(self, judge: Callable[[bytes], Result], workers: int, if_killed: Result) -> None:
        self._judge, self._workers, self._if_killed = judge, workers, if_killed
        self._pool = _pool(workers)

    def start(self, files: Sequence[bytes]) -> "Future[list[Result]]":
        try:
            return self._pool.submit(_judge_chunk, self._judge, files)
        except BrokenProcessPool:
            self._pool = _pool(self._workers)
            return self._pool.submit(_judge_chunk, self._judge, files)

    def finish(
        self, chunk: Chunk[Item], future: "Future[list[Result]]"
    ) -> Iterator[tuple[Item, bytes, Result]]:
        try:
            results = future.result()
        except BrokenProcessPool:
            results = self._one_by_one([data for _, data in chunk])
        for (item, data), result in zip(chunk, results, strict=True):
            yield item, data, result

    def _one_by_one(self, files: Sequence[bytes]) -> list[Result]:
        results, pool = [], _pool(1)
        for data in files:
            try:
                results.append(pool.submit(self._judge, data).result())
            except BrokenProcessPool:
                results.append(self._if_killed)
                pool = _pool(1)
        pool.shutdown()
        return results

    def dismiss(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, since a fork would copy threads' locks in whatever state they are.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """Prepare a worker: the parent answers Ctrl-C, and without a parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.filterwarnings("ignore", module="PIL")  # remarks on odd files; the manifest has the verdicts
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _judge_chunk(judge: Callable[[bytes], Result], files: Sequence[bytes]) -> list[Result]:
    return [judge(data) for data in files]

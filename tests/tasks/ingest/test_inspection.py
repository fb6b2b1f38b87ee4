import hashlib
import os
import signal

import pytest

from tasks.ingest import inspection
from tasks.ingest.inspection import judge_all


def _length(data: bytes) -> int:
    return len(data)


def _fatal(data: bytes) -> int:
    if data == b"poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return len(data)


FILES = [(number, b"x" * (number % 7)) for number in range(150)]


@pytest.mark.parametrize("count", [1, 2])
def test_results_are_yielded_in_order_with_their_items(count: int) -> None:
    found = list(judge_all(_length, FILES, workers=count, if_killed=-1))
    assert found == [(number, data, len(data)) for number, data in FILES]


def test_a_file_that_kills_its_worker_is_found_and_the_others_are_judged() -> None:
    files = [(number, b"poison" if number in (40, 41) else data) for number, data in FILES]
    found = {item: result for item, _, result in judge_all(_fatal, files, workers=2, if_killed=-1)}
    assert found == {number: -1 if data == b"poison" else len(data) for number, data in files}


def test_a_chunk_is_limited_by_files_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "CHUNK_FILES", 3)
    monkeypatch.setattr(inspection, "CHUNK_BYTES", 10)
    sizes = [1, 1, 1, 10, 1, 9, 50, 1]
    chunks = list(inspection._chunks(bytes(size) for size in sizes))
    assert [[len(data) for data in chunk] for chunk in chunks] == [[1, 1, 1], [10], [1, 9], [50], [1]]


def test_a_chunk_is_named_by_its_first_photo() -> None:
    assert inspection._name([b"a", b"b"]).startswith("2 photos")
    assert hashlib.sha256(b"a").hexdigest() in inspection._name([b"a", b"b"])

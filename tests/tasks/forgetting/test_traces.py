import base64
import os
import random
from pathlib import Path

import pytest

from tasks.forgetting.traces import PIECE, Search, pieces, read_chunks


def test_pieces_are_of_the_second_half_and_in_base64_of_the_whole_file() -> None:
    data = os.urandom(10_000)
    found = pieces(data)
    plain = [piece for piece in found if piece in data]
    assert len(plain) == 2
    assert all(data.index(piece) >= 5000 - PIECE for piece in plain)
    assert all(piece in base64.b64encode(data) for piece in found - set(plain))


@pytest.mark.parametrize("data", [b"", b"x" * 10_000, b"ab" * 50, bytes(range(16))])
def test_a_uniform_or_short_file_has_no_piece(data: bytes) -> None:
    assert pieces(data) == set()


def test_the_search_agrees_with_a_naive_one() -> None:
    numbers = random.Random(3)
    traces = [numbers.randbytes(numbers.choice([16, 32, 48])) for _ in range(40)]
    search = Search(traces)
    for _ in range(300):
        data = numbers.randbytes(numbers.randrange(200))
        if numbers.random() < 0.5:
            trace, place = numbers.choice(traces), numbers.randrange(len(data) + 1)
            part = trace if numbers.random() < 0.5 else trace[:-1]  # all but the last byte is no match
            data = data[:place] + part + data[place:]
        assert search.in_bytes(data) == any(trace in data for trace in traces)


def test_a_trace_across_two_chunks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = os.urandom(48)
    search = Search([trace])
    for cut in (1, 8, 47):
        assert search.in_chunks([b"x" * 100 + trace[:cut], trace[cut:] + b"y"])
    assert not search.in_chunks([trace[:-1], b"z"])
    monkeypatch.setattr("tasks.forgetting.traces.CHUNK", 64)
    (tmp_path / "file").write_bytes(b"x" * 50 + trace + b"x" * 50)
    assert search.in_file(tmp_path / "file")
    assert [len(chunk) for chunk in read_chunks(tmp_path / "file")] == [64, 64, 20]


def test_nothing_is_found_without_traces_and_short_ones_are_refused() -> None:
    assert not Search([]).in_bytes(b"x" * 1000)
    with pytest.raises(ValueError, match="expected at least 16"):
        Search([b"short"])

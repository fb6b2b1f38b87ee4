"""Pieces of files that recognise them inside other files, and a fast search for many of them."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

PIECE = 48  # bytes; a multiple of 3, so that Base64 of a file has the Base64 of its pieces
WINDOW = 1024  # bytes searched for a piece
DISTINCT = 16  # different bytes in a piece, else it could be in any file
SHORTEST = 16  # bytes of a trace: a raw MD5
CHUNK = 1 << 24


def pieces(data: bytes) -> set[bytes]:
    """Return pieces of the middle and the third quarter of a file, as they are and in Base64.

    The beginning is left out: photos of one camera share their headers. Empty if the file is too uniform.
    """
    found = set()
    for start in (len(data) // 2, 3 * len(data) // 4):
        begin = start - start % PIECE
        offsets = range(begin, min(begin + WINDOW, len(data) - PIECE + 1), PIECE)
        best = max((data[at : at + PIECE] for at in offsets), key=_distinct, default=b"")
        if _distinct(best) >= DISTINCT:
            found |= {best, base64.b64encode(best)}
    return found


def _distinct(piece: bytes) -> int:
    return len(set(piece))


class Search:
    """A search for any of many traces, each of at least 16 bytes, in one pass."""

    def __init__(self, traces: Iterable[bytes]) -> None:
        self._by_key: dict[int, list[bytes]] = {}
        for trace in traces:
            if len(trace) < SHORTEST:
                raise ValueError(f"a trace has {len(trace)} bytes; expected at least {SHORTEST}")
            self._by_key.setdefault(int.from_bytes(trace[:8], "little"), []).append(trace)
        self._keys = np.array(sorted(self._by_key), np.uint64)
        self._low = np.zeros(1 << 16, bool)  # of the first two bytes: most places are ruled out by it
        self._low[self._keys.astype(np.uint16)] = True
        self.longest = max((len(trace) for group in self._by_key.values() for trace in group), default=0)

    def in_bytes(self, data: bytes) -> bool:
        """Return whether the data contains a trace."""
        return any(
            self._at(data, int(place)) for shift in range(8) for place in self._candidates(data, shift)
        )

    def in_chunks(self, chunks: Iterable[bytes]) -> bool:
        """Return whether a stream of chunks contains a trace, also across two of them."""
        kept = b""
        for chunk in chunks:
            kept += chunk
            if self.in_bytes(kept):
                return True
            kept = kept[max(0, len(kept) - self.longest + 1) :]
        return False

    def in_file(self, path: Path) -> bool:
        """Return whether the bytes of a file contain a trace."""
        return self.in_chunks(read_chunks(path))

    def _candidates(self, data: bytes, shift: int) -> npt.NDArray[np.int64]:
        words = (len(data) - shift) // 8
        if words <= 0:
            return np.empty(0, np.int64)
        view = np.frombuffer(data, "<u8", words, shift)
        rows = np.flatnonzero(self._low[view.astype(np.uint16)])
        return shift + 8 * rows[np.isin(view[rows], self._keys)]

    def _at(self, data: bytes, place: int) -> bool:
        key = int.from_bytes(data[place : place + 8], "little")
        return any(data.startswith(trace, place) for trace in self._by_key[key])


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file in chunks."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk

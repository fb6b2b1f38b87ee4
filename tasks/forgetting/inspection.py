"""Decide whether a file has anything of a person: bytes of photos, faces or embeddings, digests, or a name.

Compressed tables are decoded, archives unpacked one level deep, texts read by the rules of their format.
"""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.forgetting.person import Person
from tasks.forgetting.traces import CHUNK

BYTES, NAME = "bytes", "name"
ARROW, PARQUET, ZIP = b"ARROW1", b"PAR1", b"PK\x03\x04"
_OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)
TEXT_BYTES = 1 << 28  # longer files are not read as text
CHARTS = ("history.png", "roc.png")  # pictures of the project without faces
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"<svg")


class Inspection:
    """A search for a person in many files."""

    def __init__(self, person: Person) -> None:
        self._search, self._names = person.search(), person.names

    def holds(self, path: Path, *, names: bool = True) -> bool:
        """Return whether a file has bytes, a digest or, if `names`, a name of the person.

        A file that vanishes meanwhile has nothing; one that is damaged is searched as it is.
        """
        try:
            if self._search.in_file(path):
                return True
            return self._decoded(path, names)
        except FileNotFoundError:
            return False

    def holds_bytes(self, data: bytes, name: str = "") -> bool:
        """Return whether the content of a small file has anything of the person."""
        return self._search.in_bytes(data) or self._has_name(data, name)

    def holds_value(self, text: str) -> bool:
        """Return whether a value has a digest, or is a name or a list of JSON with one.

        A name within it may be that of a user, in the path of a home folder.
        """
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        values = value if isinstance(value, list) else [value]
        return self._search.in_bytes(text.encode()) or any(self._names.is_exactly(entry) for entry in values)

    def is_name(self, path: str) -> bool:
        """Return whether a path has the person's name as one of its parts."""
        return self._names.is_value(path)

    def holds_row(self, header: Sequence[str], row: Sequence[str]) -> bool:
        """Return whether a row of a table of text has a digest, or a name in a column of names."""
        named = self._names.in_table({name: [value] for name, value in zip(header, row, strict=False)})
        return named or self._search.in_bytes(",".join(row).encode())

    def _decoded(self, path: Path, names: bool) -> bool:
        magic = first_bytes(path)
        try:
            if magic.startswith(ARROW) and not _is_compressed(path):
                return names and any(self._names.in_table(strings(batch)) for batch in mapped_batches(path))
            if magic.startswith((ARROW, PARQUET)):
                return any(self._in_batch(batch, names) for batch in batches(path))
            if magic.startswith(ZIP):
                return self._in_zip(path)
            opener = next((opener for start, opener in _OPENERS.items() if magic.startswith(start)), None)
            if opener is not None:
                with opener(path) as file:
                    return self._search.in_chunks(_chunks(file))
        except (*_DAMAGED, pa.ArrowException):
            return False
        if not names or magic.startswith(_PICTURES[:-1]) or path.stat().st_size > TEXT_BYTES:
            return False
        return self._has_name(path.read_bytes(), path.name)

    def _in_batch(self, batch: pa.RecordBatch, names: bool) -> bool:
        if names and self._names.in_table(strings(batch)):
            return True
        buffers = (buffer for column in batch.columns for buffer in _buffers(column))
        return any(self._search.in_bytes(buffer) for buffer in buffers)

    def _in_zip(self, path: Path) -> bool:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                with archive.open(info) as file:
                    if self._search.in_chunks(_chunks(file)):
                        return True
        return False

    def _has_name(self, data: bytes, name: str) -> bool:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return False
        if name.endswith(".csv") or _looks_like_csv(text):
            return self._names.in_table(_csv_columns(text))
        return self._names.in_document(text)


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(12)


def is_table(path: Path) -> bool:
    """Return whether a file is an Arrow IPC or Parquet file."""
    return path.is_file() and first_bytes(path).startswith((ARROW, PARQUET))


def may_show_faces(name: str, data: bytes) -> bool:
    """Return whether a file is a picture, or a page with pictures in it: faces in them cannot be recognised.

    name: of the file, by which charts are recognised; "" if it is not known.
    """
    if name in CHARTS:
        return False
    return data.startswith(_PICTURES) or (b"<html" in data[:4096].lower() and b"data:image/" in data)


def batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the record batches of an Arrow IPC or Parquet file, with all or some of its columns."""
    if first_bytes(path).startswith(PARQUET):
        with pq.ParquetFile(path) as table:
            yield from table.iter_batches(columns=columns)
        return
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            yield batch if columns is None else batch.select(columns)


def mapped_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the record batches of an Arrow IPC file as a memory map: only columns that are used are read."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _is_compressed(path: Path) -> bool:
    """Return whether the batches of an Arrow IPC file are longer than the file: its bytes are not theirs."""
    return bool(sum(batch.nbytes for batch in mapped_batches(path)) > path.stat().st_size)


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a table; none if it is damaged."""
    try:
        if first_bytes(path).startswith(PARQUET):
            return list(pq.read_schema(path).names)
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            return list(reader.schema.names)
    except (pa.ArrowException, OSError):
        return []


def strings(batch: pa.RecordBatch) -> dict[str, list[object]]:
    """Return the columns of text of a batch."""
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary)
    return {
        field.name: batch.column(place).to_pylist()
        for place, field in enumerate(batch.schema)
        if any(is_kind(field.type) for is_kind in kinds)
    }


def _buffers(column: pa.Array) -> Iterator[bytes]:
    for buffer in column.buffers():
        if buffer is not None:
            yield buffer.to_pybytes()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _looks_like_csv(text: str) -> bool:
    head = text.partition("\n")[0]
    return head.count(",") > 0 and not head.lstrip().startswith(("{", "[", "<", "#"))


def _csv_columns(text: str) -> dict[str, Iterable[object]]:
    rows = list(csv.reader(io.StringIO(text)))
    return {
        name: [row[at] for row in rows[1:] if at < len(row)]
        for at, name in enumerate(rows[:1][0] if rows else [])
    }

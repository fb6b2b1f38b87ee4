"""What of a person is found in files, by comparing bytes: nothing of `facenet forget` is used for it."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PIECE = 4096
Remains = dict[str, bytes]  # what each sequence of bytes is


def remains_of(photos: Path, folders: Iterable[Path]) -> Remains:
    """Return photos, pieces of 4 KiB, digests, stored images and faces, and embeddings of a person.

    photos: the folder of the person. folders: with the tables of all versions, in DVC's cache too.
    """
    found, ids = _of_photos(photos)
    tables = [table for folder in folders for path in _files(folder) if (table := _table(path)) is not None]
    images = [
        image for table in tables for owner, image in _column(table, "image_id", "image") if owner in ids
    ]
    owners: set[object] = {*ids}
    for number, image in enumerate(images):
        digest = hashlib.sha256(image or b"").digest()
        owners.add(digest)
        found |= {f"image {number}": image or b"", f"digest {number}": digest}
        found[f"digest in hex {number}"] = digest.hex().encode()
    for number, (owner, vector) in enumerate(_vectors(tables)):
        if owner in owners and vector is not None:
            found[f"embedding {number}"] = vector
    return found


def _of_photos(photos: Path) -> tuple[Remains, set[str]]:
    found: Remains = {}
    ids = set()
    for path in sorted(photos.iterdir()):
        data = path.read_bytes()
        found[f"photo {path.name}"] = data
        for start in range(0, len(data) - PIECE + 1, PIECE):
            found[f"piece {path.name} {start}"] = data[start : start + PIECE]
        for kind in ("sha256", "md5"):
            digest = hashlib.new(kind, data)
            found[f"{kind} {path.name}"] = digest.digest()
            found[f"{kind} in hex {path.name}"] = digest.hexdigest().encode()
        ids.add(hashlib.sha256(data).hexdigest())
    return found, ids


def _vectors(tables: Iterable[pa.Table]) -> Iterator[tuple[object, bytes | None]]:
    for table in tables:
        for key in ("image_id", "face_sha256"):
            for column in ("embedding", "embedding_flipped"):
                yield from _column(table, key, column)


def holders(folders: Iterable[Path], remains: Remains, *, but: str = "forgotten.csv") -> list[str]:
    """Return the files with any of the bytes, also in the columns of tables, and what each has."""
    names = {data: name for name, data in remains.items()}
    found = []
    for path in (path for folder in folders for path in _files(folder)):
        if path.name == but:
            continue
        contents = [path.read_bytes(), *_buffers(path)]
        has = next((names[d] for d in names if any(d in content for content in contents)), None)
        if has is not None:
            found.append(f"{path}: {has}")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and ".venv" not in path.parts:
            yield path


def _table(path: Path) -> pa.Table | None:
    with path.open("rb") as file:
        magic = file.read(6)
    try:
        if magic == b"ARROW1":
            return pa.ipc.open_file(path.read_bytes()).read_all()
        return pq.read_table(path) if magic[:4] == b"PAR1" else None
    except pa.ArrowException:
        return None


def _column(table: pa.Table, key: str, column: str) -> Iterator[tuple[object, bytes | None]]:
    """Yield the keys of the rows and the bytes in a column; nothing if the table has not both."""
    if {key, column} <= set(table.column_names):
        for owner, value in zip(table[key].to_pylist(), table[column], strict=True):
            if not value.is_valid:
                yield owner, None
            elif hasattr(value, "values"):
                yield owner, value.values.to_numpy(zero_copy_only=False).tobytes()
            else:
                yield owner, value.as_py()


def _buffers(path: Path) -> Iterator[bytes]:
    table = _table(path)
    for column in table.columns if table is not None else ():
        for chunk in column.chunks:
            yield from (buffer.to_pybytes() for buffer in chunk.buffers() if buffer is not None)

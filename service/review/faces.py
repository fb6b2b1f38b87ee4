"""The photos that a workspace has now, by digest and by identity, and their faces."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from facenet.errors import DataInvalid
from tasks.paths import ALIGNED, MANIFEST
from tasks.shards import read_table

KEPT = "kept"  # status in the manifest


@dataclass(frozen=True, eq=False)
class Faces:
    """A state of the data.

    identities: of the kept photos by digest. photos: digests by identity, those with a face first. rows: of
    the faces by digest. images: the column of encoded faces, a memory map.
    """

    identities: dict[str, str]
    photos: dict[str, list[str]]
    rows: dict[str, int] = field(default_factory=dict)
    images: pa.ChunkedArray | None = None

    def face(self, digest: str) -> bytes | None:
        """Return the encoded face of a photo, None if it has none."""
        row = self.rows.get(digest)
        if row is None or self.images is None:
            return None
        found: bytes = self.images[row].as_py()
        return found

    def of(self, identity: str, *, count: int, without: tuple[str, ...] = (), first: str = "") -> list[str]:
        """Return up to `count` digests of photos of an identity that have a face.

        without: digests that are left out. first: a digest that comes first if it is the identity's.
        """
        theirs = [digest for digest in self.photos.get(identity, []) if digest not in without]
        if first in theirs:
            theirs.remove(first)
            theirs.insert(0, first)
        return [digest for digest in theirs if digest in self.rows][:count]


def read_faces(root: Path) -> Faces:
    """Return the photos of the workspace `root`.

    Raises:
        DataInvalid: the manifest or the aligned faces are missing or damaged.
    """
    manifest, aligned = root / MANIFEST, root / ALIGNED
    try:
        columns = pq.read_table(manifest, columns=["image_id", "identity", "status"]).to_pydict()
        table = read_table(aligned, "faces", ["image_id", "image"])
    except FileNotFoundError as error:
        raise DataInvalid(
            f"There is no {manifest}, or no face in {aligned}. Run `dvc repro align`."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise DataInvalid(f"{manifest} is damaged: {error}. Run `dvc repro ingest`.") from error
    rows = {digest: row for row, digest in enumerate(table.column("image_id").to_pylist())}
    identities, photos = {}, defaultdict(list)
    for digest, identity, status in zip(*columns.values(), strict=True):
        if status == KEPT:
            identities[digest] = identity
            photos[identity].append(digest)
    for theirs in photos.values():
        theirs.sort(key=lambda digest: (digest not in rows, digest))
    return Faces(identities, dict(photos), rows, table.column("image"))

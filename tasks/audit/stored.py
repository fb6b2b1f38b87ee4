"""The stored faces of a workspace, with the path of each photo."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.errors import DataInvalid
from tasks import paths
from tasks.shards import read_table, shard_paths

Names = npt.NDArray[np.str_]
KEPT, CONFLICT = "kept", "conflicting_identity"  # statuses of the manifest


@dataclass(frozen=True)
class AuditPaths:
    """Where the audit reads and writes."""

    raw: Path = paths.RAW
    aligned: Path = paths.ALIGNED
    cache: Path = paths.CACHE
    reports: Path = paths.REPORTS


@dataclass(frozen=True, eq=False)
class StoredFaces:
    """N faces in the order of the face table.

    photos: (N,) image_id, the digest of each photo. identities, roles: (N,). fallback: (N,) whether no face
    was found in the photo. paths: of photos, by image_id and identity, as in the manifest. conflicts:
    identity and path of photos that are in the folders of several people, by image_id; they have no face.
    names: all identities of the manifest, also of photos that are not used.
    """

    photos: Names
    identities: Names
    roles: Names
    fallback: npt.NDArray[np.bool_]
    paths: Mapping[tuple[str, str], str]
    conflicts: Mapping[str, list[tuple[str, str]]]
    names: frozenset[str] = frozenset()

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of faces of each identity."""
        names, counts = np.unique(self.identities, return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))

    def path(self, face: int) -> str:
        """Return the path of a photo as in the manifest; "" if the manifest does not have it."""
        return self.paths.get((str(self.photos[face]), str(self.identities[face])), "")


def read_stored(files: AuditPaths) -> StoredFaces:
    """Return the stored faces of the workspace.

    Raises:
        DataInvalid: there are no faces, or there is no manifest.
    """
    manifest = files.raw / paths.MANIFEST.name
    if not shard_paths(files.aligned, "faces") or not manifest.exists():
        raise DataInvalid(
            f"There are no faces to audit: {files.aligned} or {manifest} is missing. Run `dvc repro align` "
            "in the workspace."
        )
    table = read_table(files.aligned, "faces", ["image_id", "identity", "role", "fallback"])
    photos, identities, roles = (
        np.array(table[name].to_pylist(), np.str_) for name in ("image_id", "identity", "role")
    )
    rows = pd.read_parquet(manifest, columns=["image_id", "identity", "path", "status"])
    kept = rows[rows["status"] == KEPT]
    return StoredFaces(
        photos,
        identities,
        roles,
        np.array(table["fallback"].to_pylist(), bool),
        dict(zip(zip(kept["image_id"], kept["identity"], strict=True), kept["path"], strict=True)),
        _conflicts(rows[rows["status"] == CONFLICT]),
        frozenset(rows["identity"].dropna()),
    )


def _conflicts(rows: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    columns = (rows[name] for name in ("image_id", "identity", "path"))
    for photo, identity, path in sorted(zip(*columns, strict=True)):
        places = found.setdefault(photo, [])
        if identity not in [name for name, _ in places]:
            places.append((identity, path))
    return found

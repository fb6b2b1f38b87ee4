"""A workspace with errors planted into ORL: real faces, and the pretrained model."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facenet import pretrained
from facenet.images import encode
from facenet.model import CARD, ModelCard
from tasks.audit.stored import AuditPaths, StoredFaces, read_stored
from tasks.audit.work import Audited, run_audit
from tasks.params import Params, parse_params
from tasks.shards import FACES_SCHEMA, RAW_SCHEMA, sort_key, write_shards

PEOPLE, PHOTOS, SIDE = 12, 7, 150
FRAME = ((33.0, 45.0), (59.0, 45.0), (46.0, 62.0), (36.0, 80.0), (56.0, 80.0))  # of an ORL face, about


@dataclass(frozen=True)
class AuditedSpace:
    """The workspace, what was planted (digests by kind of error), and what the audit found."""

    files: AuditPaths
    params: Params
    planted: dict[str, str]
    done: Audited

    @property
    def faces(self) -> StoredFaces:
        return read_stored(self.files)


@contextmanager
def silent(_total: int, _name: str) -> Iterator[Any]:
    class Bar:
        def update(self, _count: int) -> None: ...

    yield Bar()


@pytest.fixture(scope="session")
def space(
    tmp_path_factory: pytest.TempPathFactory, orl_photos: list[tuple[str, bytes]], root: Path
) -> AuditedSpace:
    """The audited workspace."""
    return build_space(tmp_path_factory.mktemp("audited"), orl_photos, root)


def build_space(folder: Path, orl_photos: list[tuple[str, bytes]], root: Path) -> AuditedSpace:
    """Audit 12 people with 7 photos each: one moved, one copied, one dark, one without a face."""
    files = AuditPaths(
        raw=folder / "data/raw",
        aligned=folder / "data/aligned",
        cache=folder / "data/cache",
        reports=folder / "reports",
    )
    photos = [orl_photos[10 * p + n] for p in range(PEOPLE) for n in range(PHOTOS)]
    rows = [_row(identity, data) for identity, data in photos]
    planted = {"moved": rows[0]["image_id"], "dark": rows[8]["image_id"], "faceless": rows[15]["image_id"]}
    rows[0]["identity"] = "s5"
    rows[8] = _row("s2", photos[8][1], brightness=0.15) | {"image_id": planted["dark"]}
    rows[15]["fallback"] = True
    copy = _row("s6", _jpeg(photos[50][1]))  # of s8
    planted["copy"], planted["copied"] = copy["image_id"], rows[50]["image_id"]
    rows.append(copy)
    write_tables(files, rows)
    card = ModelCard.read(pretrained.folder() / CARD)
    params = parse_params((root / "params.yaml").read_text())
    align = params.align.model_copy(update={k: card.align[k] for k in ("method", "image_size", "margin")})
    align = align.model_copy(update={k: card.align[k] for k in ("margin_in", "template")})
    ingest = params.ingest.model_copy(update={"decisions": None})
    params = replace(params, align=align, ingest=ingest)
    return AuditedSpace(files, params, planted, run_audit(params, files, progress=silent, model="pretrained"))


def write_tables(files: AuditPaths, rows: list[dict[str, Any]]) -> None:
    """Write the face table, the photos and the manifest."""
    ordered = sorted(rows, key=lambda row: sort_key(row, 1))
    write_shards(files.aligned, "faces", FACES_SCHEMA, [_face(row) for row in ordered], 1)
    raw = [{name: row[name] for name in RAW_SCHEMA.names} for row in ordered]
    write_shards(files.raw, "images", RAW_SCHEMA, raw, 1)
    manifest = [
        {name: row[name] for name in ("image_id", "identity", "path")} | {"status": "kept"} for row in ordered
    ]
    twice = [
        {
            "image_id": "c" * 64,
            "identity": name,
            "path": f"{name}/twice.jpg",
            "status": "conflicting_identity",
        }
        for name in ("s7", "s9")
    ]
    pd.DataFrame([*manifest, *twice]).to_parquet(files.raw / "manifest.parquet")


def _row(identity: str, data: bytes, brightness: float = 1.0) -> dict[str, Any]:
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) * brightness
    digest = hashlib.sha256(data).hexdigest()
    return {
        "image_id": digest,
        "identity": identity,
        "source": "orl",
        "role": "train",
        "image": encode(pixels.astype(np.uint8), "png"),
        "path": f"{identity}/{digest[:8]}.pgm",
        "box": [0.0, 10.0, 92.0, 102.0],
        "landmarks": [list(point) for point in FRAME],
        "probability": 0.99,
        "faces_found": 1,
        "fallback": False,
    }


def _face(row: dict[str, Any]) -> dict[str, Any]:
    with Image.open(io.BytesIO(row["image"])) as image:
        square = image.resize((SIDE, SIDE), box=(0, 10, 92, 102))
    return {**{k: v for k, v in row.items() if k != "path"}, "image": encode(np.asarray(square), "png")}


def _jpeg(data: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(buffer, "JPEG", quality=70)
    return buffer.getvalue()

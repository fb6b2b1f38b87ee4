import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facenet.audit.faces import AuditFaces
from tasks.audit.bursts import bursts
from tasks.audit.stored import AuditPaths, read_stored
from tests.tasks.audit.conftest import _row, write_tables


def test_a_series_of_copies_is_found_but_one(tmp_path: Path, orl_photos: list[tuple[str, bytes]]) -> None:
    rows = [_row(identity, data) for identity, data in orl_photos[:4] + orl_photos[10:16]]
    for quality in range(60, 95, 6):  # six copies of one photo of s1, which has four others
        buffer = io.BytesIO()
        Image.open(io.BytesIO(orl_photos[0][1])).convert("RGB").save(buffer, "JPEG", quality=quality)
        rows.append(_row("s1", buffer.getvalue()))
    files = AuditPaths(tmp_path / "raw", tmp_path / "aligned", tmp_path, tmp_path)
    write_tables(files, rows)
    faces = read_stored(files)
    series = {row["image_id"] for row in rows[10:]} | {rows[0]["image_id"]}
    vectors: Any = np.random.default_rng(0).normal(size=(len(rows), 64))
    vectors[np.isin(faces.photos, list(series))] = vectors[0] + 0.01
    found = bursts(faces, AuditFaces.of(vectors, faces.identities), np.arange(len(rows)), files.aligned)
    kept = {s.other_digest for s in found}
    assert len(kept) == 1
    assert {s.digest for s in found} == series - kept
    assert {(s.identity, s.action, s.probability) for s in found} == {("s1", "drop", 0.7)}
    few = bursts(
        faces, AuditFaces.of(vectors[3:], faces.identities[3:]), np.arange(3, len(rows)), files.aligned
    )
    assert {s.identity for s in few} <= {"s1"}

"""Reading wanted faces out of the table; the embeddings themselves are tested with the stage."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facenet.errors import DataInvalid
from tasks.evaluate.embeddings import read_faces, stored_faces
from tasks.shards import read_table

Workspace = Any


def test_stored_faces_know_the_fallbacks(workspace: Workspace) -> None:
    stored = stored_faces(workspace.paths["aligned"])
    assert len(stored) == 40
    assert [image_id for image_id, fallback in stored.items() if fallback] == [workspace.ids["s1/s1_0001"]]


def test_faces_come_in_the_order_of_the_table(workspace: Workspace) -> None:
    wanted = {workspace.ids[name] for name in ("s9/s9_0001", "s1/s1_0004", "s4/s4_0002")} | {"unknown"}
    faces = list(read_faces(workspace.paths["aligned"], wanted))
    table = read_table(workspace.paths["aligned"], "faces", ["image_id"])["image_id"].to_pylist()
    assert [image_id for image_id, _ in faces] == [i for i in table if i in wanted]
    assert len(faces) == 3
    for _, pixels in faces:
        assert (pixels.shape, pixels.dtype) == ((100, 100, 3), np.uint8)


def test_no_faces_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="dvc repro align"):
        stored_faces(tmp_path)

"""The stored faces; the embeddings themselves are tested with the stage."""

from pathlib import Path
from typing import Any

import pytest

from facenet.errors import DataInvalid
from tasks.evaluate.embeddings import stored_faces

Workspace = Any


def test_stored_faces_include_fallbacks(workspace: Workspace) -> None:
    stored = stored_faces(workspace.paths["aligned"])
    assert len(stored) == 40
    assert [image_id for image_id, fallback in stored.items() if fallback] == [workspace.ids["s1/s1_0001"]]


def test_no_faces_raise(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="dvc repro align"):
        stored_faces(tmp_path)

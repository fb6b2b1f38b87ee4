"""Faces are embedded once per way of embedding."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facenet.model import ModelCard, NetworkCard
from tasks.evaluate import embedding_cache
from tasks.evaluate.embedding_cache import embed_cached, embedding_key
from tasks.evaluate.work import FaceLocation, find_locations

Workspace = Any
CARD = ModelCard(
    network=NetworkCard(name="nn4_small2", embedding_size=16, image_size=96), align={}, weights_sha256="a"
)
WAY: dict[str, Any] = {"precision": "fp32", "device": "cpu", "mirrored": True}


class Counter:
    """Replaces the network: embeds the digits of a name, and counts the faces."""

    def __init__(self) -> None:
        self.faces = 0

    def __call__(self, places: list[FaceLocation]) -> list[tuple[np.ndarray, np.ndarray]]:
        self.faces += len(places)
        rows = [np.frombuffer(bytes.fromhex(p.image_id[:16]), np.uint8).astype(np.float32) for p in places]
        return [(row, -row) for row in rows]


def embed(
    workspace: Workspace, places: list[FaceLocation], folder: Path, key: str = "k"
) -> tuple[Any, int, int]:
    worker = Counter()
    found, made = embed_cached(
        lambda: worker, places, 16, aligned=workspace.paths["aligned"], folder=folder, key=key
    )
    return found, made, worker.faces


def test_only_new_faces_are_embedded(workspace: Workspace, tmp_path: Path) -> None:
    places = find_locations(workspace.paths["aligned"], set(workspace.ids.values()))
    first, made, asked = embed(workspace, places[:30], tmp_path / "cache")
    assert (made, asked) == (30, 30)
    again, made, asked = embed(workspace, places[10:30], tmp_path / "cache")
    assert (made, asked, again.seconds) == (0, 0, 0)
    assert np.array_equal(again.faces, first.faces[10:])
    assert np.array_equal(again.flipped, first.flipped[10:])
    whole, made, asked = embed(workspace, places, tmp_path / "cache")
    assert (made, asked) == (10, 10)
    scratch, made, _ = embed(workspace, places, tmp_path / "other")
    assert made == 40
    assert np.array_equal(whole.faces, scratch.faces)
    assert whole.image_ids == scratch.image_ids
    (one,), (other,) = ((tmp_path / name).iterdir() for name in ("cache", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_another_key_reuses_nothing(workspace: Workspace, tmp_path: Path) -> None:
    places = find_locations(workspace.paths["aligned"], set(workspace.ids.values()))
    embed(workspace, places, tmp_path / "cache")
    assert embed(workspace, places, tmp_path / "cache", "l")[1] == 40


def test_a_damaged_file_is_rebuilt(
    workspace: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    places = find_locations(workspace.paths["aligned"], set(workspace.ids.values()))
    embed(workspace, places, tmp_path / "cache")
    (tmp_path / "cache" / "k.arrow").write_bytes(b"half")
    assert embed(workspace, places, tmp_path / "cache")[1] == 40
    assert "embedded again" in caplog.text
    assert embed(workspace, places, tmp_path / "cache")[1] == 0


def test_old_files_are_deleted(workspace: Workspace, tmp_path: Path) -> None:
    places = find_locations(workspace.paths["aligned"], set(list(workspace.ids.values())[:2]))
    for number in range(embedding_cache.FILES + 2):
        embed(workspace, places, tmp_path / "cache", f"key{number}")
    assert len(list((tmp_path / "cache").iterdir())) == embedding_cache.FILES


@pytest.mark.parametrize("change", [{"precision": "bf16"}, {"device": "cuda"}, {"mirrored": False}])
def test_key_changes_with_the_way_of_embedding(change: dict[str, Any]) -> None:
    assert embedding_key(CARD, **WAY) == embedding_key(CARD, **WAY)
    assert embedding_key(CARD, **WAY) != embedding_key(CARD, **{**WAY, **change})


@pytest.mark.parametrize("change", [{"weights_sha256": "b"}, {"standardisation": "per_image"}])
def test_key_depends_on_the_model_but_not_on_its_origin(change: dict[str, Any]) -> None:
    assert embedding_key(replace(CARD, **change), **WAY) != embedding_key(CARD, **WAY)
    assert embedding_key(replace(CARD, commit="c" * 40), **WAY) == embedding_key(CARD, **WAY)

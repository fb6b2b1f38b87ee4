"""Which photos the stage embeds, where, and that none is embedded twice."""

import shutil
from typing import Any

import numpy as np
import pytest

from facenet.embedder import Embedder
from tasks.params.evaluate import EvaluateParams
from tasks.shards import read_table
from tests.tasks.dask_processes import DaskProcesses
from tests.tasks.evaluate.running import evaluate, read_embeddings

Workspace = Any


@pytest.mark.server
@pytest.mark.slow
def test_a_cluster_computes_the_same_bytes(
    workspace: Workspace,
    params: EvaluateParams,
    dask_processes: DaskProcesses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = workspace.paths["embeddings"] / "embeddings-0000.arrow"
    monkeypatch.setattr("tasks.evaluate.photo_embedder.CLUSTER_ROWS", 7)
    there = evaluate(workspace, params)
    embedded = table.read_bytes()
    monkeypatch.delenv("FACENET_DASK_SCHEDULER")
    shutil.rmtree(workspace.paths["cache"])  # otherwise all embeddings are cached
    here = evaluate(workspace, params)
    assert table.read_bytes() == embedded
    assert here["images_embedded"] == 40
    assert there | {"images_per_second": 0} == here | {"images_per_second": 0}


def test_every_photo_is_embedded_once(workspace: Workspace, params: EvaluateParams) -> None:
    evaluate(workspace, params)
    table = read_embeddings(workspace)
    order = read_table(workspace.paths["aligned"], "faces", ["image_id"])["image_id"].to_pylist()
    assert table["image_id"].to_pylist() == order
    face, flipped = (np.array(table[c].to_pylist()) for c in ("embedding", "embedding_flipped"))
    assert face.shape == flipped.shape == (40, 16)
    assert np.allclose(np.linalg.norm(face, axis=1), 1, atol=1e-6)
    assert not np.allclose(face, flipped)
    assert table.schema.metadata[b"precision"] == b"fp32"


def test_mirror_images_are_only_embedded_for_flips(workspace: Workspace, params: EvaluateParams) -> None:
    evaluate(workspace, params, flip="none")
    assert read_embeddings(workspace)["embedding_flipped"].null_count == 40


def test_photos_outside_the_pairs_are_not_embedded(workspace: Workspace, params: EvaluateParams) -> None:
    metrics = evaluate(workspace.with_pairs(workspace.pairs[workspace.pairs["fold"] < 2]), params)
    assert metrics["images"] == 16
    assert len(read_embeddings(workspace)) == 16


def test_another_protocol_embeds_nothing_again(
    workspace: Workspace, params: EvaluateParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC empties data/embeddings before it runs the stage; embeddings are reused from the cache."""
    evaluate(workspace, params)
    shutil.rmtree(workspace.paths["embeddings"])
    monkeypatch.setattr(Embedder, "embed", lambda *_: pytest.fail("embedded again"))
    for changes in ({"distance": "cosine"}, {"sweep": "grid", "subtract_mean": False}, {"flip": "add"}):
        metrics = evaluate(workspace, params, **changes)
        assert (metrics["images"], metrics["images_embedded"]) == (40, 0)
        assert metrics["images_per_second"] is None
    assert len(read_embeddings(workspace)) == 40


def test_all_pairs_embeds_every_evaluated_photo(workspace: Workspace, params: EvaluateParams) -> None:
    few = workspace.with_pairs(workspace.pairs[workspace.pairs["fold"] < 2])
    metrics = evaluate(few, params, all_pairs=True)
    assert (metrics["images"], metrics["all_pairs_photos"]) == (40, 40)
    assert (metrics["all_pairs_same"], metrics["all_pairs_different"]) == (60, 720)
    assert metrics["all_pairs_auc"] > 0.6

"""The embedders of ONNX Runtime and OpenVINO have the interface and the results of the one for torch."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from facenet import pretrained
from facenet.devices import cpu_threads
from facenet.embedder import load_embedder
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.export import EMBEDDER
from facenet.model import CARD, WEIGHTS, ModelCard
from facenet.runtimes.graph_embedder import load_graph_embedder

RUNTIMES = ["onnx", "openvino"]


def faces(count: int, side: int = 150) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_embeddings_are_those_of_torch(exported: Path, runtime: str) -> None:
    source = pretrained.folder()
    torch, _ = load_embedder(source / WEIGHTS, source / CARD, device="cpu", batch_size=8)
    graph, card = load_graph_embedder(exported, runtime, batch_size=8)
    assert card == ModelCard.read(source / CARD)
    assert (graph.batch_size, graph.precision, graph.image_size) == (8, "fp32", 150)
    many = faces(5, side=153)  # cropped, with an odd remainder
    assert np.allclose(graph.embed(many), torch.embed(many), atol=2e-6)
    assert np.allclose(graph.embed_flipped(many), torch.embed_flipped(many), atol=2e-6)
    assert graph.embed(faces(0)).shape == (0, 128)
    with pytest.raises(ParamsInvalid, match="needs 150x150"):
        graph.embed(faces(1, side=149))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_embedding_depends_only_on_its_face(exported: Path, runtime: str) -> None:
    many, some = faces(11), [0, 5, 10]
    with cpu_threads(2):
        embedder, _ = load_graph_embedder(exported, runtime, batch_size=8)
    together = embedder.embed(many)
    alone = np.concatenate([embedder.embed(many[i : i + 1]) for i in some])
    order = np.random.default_rng(2).permutation(len(many))
    assert np.array_equal(together[some], alone)
    assert np.array_equal(together[order], embedder.embed(many[order]))


def test_an_unknown_runtime_is_refused(exported: Path) -> None:
    with pytest.raises(ParamsInvalid, match=r"no runtime 'tensorrt'\. Use one of: torch, onnx, openvino"):
        load_graph_embedder(exported, "tensorrt", batch_size=8)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_damaged_file_and_one_of_another_model_are_refused(
    exported: Path, tmp_path: Path, runtime: str
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    shutil.copyfile(exported / EMBEDDER, folder / EMBEDDER)
    card = dataclasses.replace(ModelCard.read(exported / CARD), weights_sha256="0" * 64)
    (folder / CARD).write_text(card.to_json())
    with pytest.raises(WeightsInvalid, match="exported from weights"):
        load_graph_embedder(folder, runtime, batch_size=8)
    (folder / EMBEDDER).write_bytes((exported / EMBEDDER).read_bytes()[:100_000])
    with pytest.raises(WeightsInvalid, match="cannot be loaded"):
        load_graph_embedder(folder, runtime, batch_size=8)

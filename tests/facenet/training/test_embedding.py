from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facenet import networks
from facenet.standardisation import standardise
from facenet.training import TableEmbedder
from facenet.training.processes import Processes
from tests.facenet.training.tiny import LABELS, TinyNetwork, write_faces
from tests.facenet.training.together import embedder


@pytest.fixture
def faces(tmp_path: Path) -> TableEmbedder:
    write_faces(tmp_path / "faces")
    return embedder(tmp_path, Processes())


ROWS = np.array([3, 0, 23, 7, 7, 11, 2, 19, 5, 1, 13])


def test_embeddings_are_those_of_the_middle_of_each_face(faces: TableEmbedder) -> None:
    network = TinyNetwork().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    calls: list[tuple[int, int]] = []
    found = faces(network, ROWS, lambda done, total: calls.append((done, total)))
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert calls == [(8, 11), (11, 11)]
    network.eval()
    for row, embedding in zip(ROWS, found, strict=True):
        face = torch.from_numpy(faces.table[np.array([row])][:, 2:18, 2:18])
        with torch.inference_mode():
            alone = networks.embed(network, standardise(face, "fixed"))[0]
        np.testing.assert_allclose(embedding, alone.numpy(), atol=1e-6)


def test_mirrored_embeddings_are_those_of_the_mirrored_crops(faces: TableEmbedder) -> None:
    odd, network = replace(faces, image_size=15, mirrored=True), TinyNetwork().eval()
    found = odd(network, ROWS)
    for row, embedding in zip(ROWS, found, strict=True):
        face = torch.from_numpy(faces.table[np.array([row])][:, 2:17, 16:1:-1].copy())
        with torch.inference_mode():
            alone = networks.embed(network, standardise(face, "fixed"))[0]
        np.testing.assert_allclose(embedding, alone.numpy(), atol=1e-6)
    assert np.abs(found - replace(odd, mirrored=False)(network, ROWS)).max() > 1e-4


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("processes", [2, 3])
def test_an_embedding_has_the_same_bits_in_every_process(
    faces: TableEmbedder, processes: int, mirrored: bool
) -> None:
    network, faces = TinyNetwork(), replace(faces, mirrored=mirrored)
    parts = [Processes(rank, processes).part(0, len(ROWS)) for rank in range(processes)]
    pieces = [faces(network, ROWS[part]) for part in parts]
    np.testing.assert_array_equal(np.concatenate(pieces), faces(network, ROWS))


def test_in_training_mode_statistics_are_updated_and_no_single_face_is_left(faces: TableEmbedder) -> None:
    network, calls = TinyNetwork(dropout=0.0).train(), list[tuple[int, int]]()
    before = network.bn.running_mean.clone()  # type: ignore[union-attr]  # it has some
    rows = np.arange(17) % len(LABELS)
    found = replace(faces, batch_size=8).in_training(network, rows, lambda *done: calls.append(done))
    assert calls == [(8, 17), (17, 17)]
    assert not torch.equal(before, network.bn.running_mean)  # type: ignore[arg-type]  # it has some
    fresh = TinyNetwork(dropout=0.0)
    fresh.load_state_dict(network.state_dict())
    pixels = torch.from_numpy(faces.table[rows[8:]][:, 2:18, 2:18])
    with torch.no_grad():
        second = networks.embed(fresh.train(), standardise(pixels, "fixed"))
    np.testing.assert_allclose(found[8:], second.numpy(), atol=1e-5)

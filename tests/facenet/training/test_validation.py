from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facenet import networks
from facenet.training import FaceTable, PairValidation, TableEmbedder
from facenet.training.validation import best_accuracy
from tests.facenet.training.tiny import LABELS, SIDE, TinyNetwork, write_faces


def naive_best(distances: np.ndarray, same: np.ndarray) -> float:
    thresholds = [-1.0, *distances, *(distances + 1e-9)]
    return max(float(((distances < t) == same).mean()) for t in thresholds)


def test_best_threshold_equals_trying_them_all() -> None:
    random = np.random.default_rng(0)
    for count in [1, 2, 3, 10, 50] * 20:
        distances = random.integers(0, 8, count) / 4  # with many ties
        same = random.random(count) < random.random()
        accuracy, threshold = best_accuracy(distances, same)
        assert accuracy == naive_best(distances, same)
        assert ((distances < threshold) == same).mean() == accuracy


def test_threshold_lies_half_way() -> None:
    accuracy, threshold = best_accuracy(np.array([0.2, 1.0, 0.4, 1.6]), np.array([True, False, True, False]))
    assert (accuracy, threshold) == (1.0, pytest.approx(0.7))


def make(tmp_path: Path, left: list[int], right: list[int], *, batch_size: int = 3) -> PairValidation:
    rows = [np.array(side, np.int64) for side in (left, right)]
    embedder = TableEmbedder(
        table=FaceTable(write_faces(tmp_path)),
        image_size=SIDE - 5,
        device=torch.device("cpu"),
        precision="fp32",
        batch_size=batch_size,
    )
    same = LABELS[rows[0]] == LABELS[rows[1]]
    return PairValidation(embedder=embedder, left=rows[0], right=rows[1], same=same)


def test_metrics_equal_those_of_a_plain_loop(tmp_path: Path) -> None:
    left, right = [0, 4, 8, 0, 4, 12], [1, 5, 9, 4, 8, 23]
    validation, network = make(tmp_path, left, right), TinyNetwork().eval()
    embeddings = {}
    with torch.inference_mode():
        for row in {*left, *right}:
            face = validation.embedder.table[np.array([row])][
                :, 2:17, 2:17
            ]  # 15 of 20 pixels, the odd one right and below
            embeddings[row] = networks.normalise(network(networks.standardise_fixed(face)))[0]
    distances = np.array(
        [(embeddings[a] - embeddings[b]).square().sum().item() for a, b in zip(left, right, strict=True)]
    )
    metrics = validation(network)
    assert metrics["accuracy"] == naive_best(distances, validation.same)
    assert metrics["distance_same"] == pytest.approx(distances[validation.same].mean(), rel=1e-4)
    assert metrics["distance_different"] == pytest.approx(distances[~validation.same].mean(), rel=1e-4)


def test_raw_embeddings_are_compared_without_normalisation(tmp_path: Path) -> None:
    validation, network = make(tmp_path, [0], [1]), TinyNetwork().eval()
    network.normalised = False
    with torch.inference_mode():
        faces = validation.embedder.table[np.array([0, 1])][:, 2:17, 2:17]
        left, right = network(networks.standardise_fixed(faces))
    assert validation(network)["distance_same"] == pytest.approx(
        (left - right).square().sum().item(), rel=1e-4
    )


def test_without_pairs_there_are_no_metrics(tmp_path: Path) -> None:
    assert make(tmp_path, [], [])(TinyNetwork()) == {}


def test_a_single_class_of_pairs_has_one_mean(tmp_path: Path) -> None:
    metrics = make(tmp_path, [0, 4], [1, 5])(TinyNetwork())
    assert metrics["accuracy"] == 1.0
    assert "distance_different" not in metrics


@pytest.mark.parametrize("training", [True, False])
def test_statistics_dropout_and_mode_are_unchanged(tmp_path: Path, training: bool) -> None:
    network = TinyNetwork().train(training)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    validation = make(tmp_path, [0, 4, 0], [1, 5, 4])
    assert validation(network) == validation(network)
    assert network.training is training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_it_computes_in_the_precision_of_the_run(tmp_path: Path) -> None:
    class Spy(TinyNetwork):
        seen: torch.dtype | None = None

        def forward(self, images: Tensor) -> Tensor:
            prelogits = super().forward(images)
            Spy.seen = prelogits.dtype
            return prelogits

    validation = make(tmp_path, [0], [1])
    network: nn.Module = Spy()
    replace(validation, embedder=replace(validation.embedder, precision="bf16"))(network)
    assert Spy.seen == torch.bfloat16

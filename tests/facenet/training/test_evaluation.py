"""Evaluation during training gives what the protocol gives for the same embeddings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from facenet.errors import PairsFileInvalid
from facenet.evaluation.distances import Flip, Metric, combine_flips
from facenet.evaluation.protocol import PairRows, Protocol, verify
from facenet.evaluation.threshold_rule import threshold_rule
from facenet.training import FaceTable, PairEvaluation, TableEmbedder
from tests.facenet.training.tiny import LABELS, SIDE, TinyNetwork, write_faces


def pair_rows(folds: list[int]) -> PairRows:
    """Return 30 pairs of each fold, half of them of one person."""
    random = np.random.default_rng(0)
    fold = np.repeat(folds, 30).astype(np.int32)
    left = random.integers(0, len(LABELS), len(fold))
    right = np.array(
        [
            random.choice(np.flatnonzero((LABELS[row] == LABELS) == (number % 2 == 0)))
            for number, row in enumerate(left)
        ]
    )
    return PairRows(left=left, right=right, same=LABELS[left] == LABELS[right], fold=fold)


def make(folder: Path, pairs: PairRows) -> PairEvaluation:
    embedder = TableEmbedder(
        table=FaceTable(write_faces(folder)),
        image_size=SIDE - 5,
        device=torch.device("cpu"),
        precision="fp32",
        batch_size=7,
    )
    return PairEvaluation(embedder=embedder, pairs=pairs)


@pytest.mark.parametrize("folds", [[0, 1, 2], [0, -1]])
def test_metrics_are_those_of_the_protocol(tmp_path: Path, folds: list[int]) -> None:
    pairs = pair_rows(folds)
    evaluation, network = make(tmp_path, pairs), TinyNetwork().train()
    metrics = evaluation(network)
    assert network.training
    embeddings = evaluation.embedder(network, np.arange(len(LABELS))).astype(np.float64)
    expected = verify(embeddings, pairs, Protocol(rule=threshold_rule(pairs.same, pairs.fold))).metrics()
    assert set(metrics) == {"accuracy", "val", "auc", "eer"}
    assert metrics == pytest.approx({name: expected[name] for name in metrics}, abs=1e-6)
    assert 0.5 < metrics["accuracy"] <= 1


@pytest.mark.parametrize("subtract_mean", [False, True])
@pytest.mark.parametrize("flip", ["none", "concatenate", "add", "mean"])
@pytest.mark.parametrize("distance", ["euclidean_squared", "arccos", "cosine"])
def test_options_are_those_of_the_protocol(
    tmp_path: Path, distance: Metric, flip: Flip, subtract_mean: bool
) -> None:
    pairs, network = pair_rows([0, 1, 2]), TinyNetwork().train()
    plain = make(tmp_path, pairs)
    evaluation = replace(plain, distance=distance, flip=flip, subtract_mean=subtract_mean)
    metrics, rows = evaluation(network), np.arange(len(LABELS))
    assert network.training
    vectors = combine_flips(
        plain.embedder(network, rows), replace(plain.embedder, mirrored=True)(network, rows), flip
    )
    rule = threshold_rule(pairs.same, pairs.fold)
    protocol = Protocol(metric=distance, subtract_mean=subtract_mean, rule=rule)
    expected = verify(vectors, pairs, protocol).metrics()
    assert metrics == pytest.approx({name: expected[name] for name in metrics}, abs=1e-6)
    centred = subtract_mean and distance != "euclidean_squared"
    unchanged = metrics["auc"] == pytest.approx(plain(network)["auc"], abs=1e-9)
    assert unchanged == (flip == "none" and not centred), (
        "without mean subtraction, all distances sort pairs of unit embeddings in one order"
    )


def test_pairs_that_cannot_be_scored_are_rejected_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(PairsFileInvalid, match="no other pairs to choose its threshold on"):
        make(tmp_path, pair_rows([0]))

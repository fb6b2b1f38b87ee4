"""Validation images are scored by the head of the training, without augmentation or dropout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facenet.losses.center import CenterLoss
from facenet.losses.softmax import SoftmaxLoss
from facenet.standardisation import standardise
from facenet.training import ClassValidation, FaceTable, TableEmbedder, classification
from tests.facenet.training.tiny import LABELS, PEOPLE, SIDE, TinyNetwork, write_faces

ROWS = np.arange(0, len(LABELS), 3)


@pytest.fixture
def embedder(tmp_path: Path) -> TableEmbedder:
    table = FaceTable(write_faces(tmp_path / "faces"), keep=True)
    return TableEmbedder(
        table=table, image_size=SIDE - 4, device=torch.device("cpu"), precision="fp32", batch_size=5
    )


def test_the_metrics_against_the_formula(embedder: TableEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification, "CHUNK", 3)
    torch.manual_seed(1)
    network, head = TinyNetwork(dropout=0.5).train(), SoftmaxLoss(4, PEOPLE, share=0.1, sampled_above=2)
    metrics = ClassValidation(embedder=embedder, loss=head, rows=ROWS, labels=LABELS[ROWS])(network)
    assert network.training
    assert head.training
    network.eval()
    with torch.no_grad():
        faces = standardise(np.stack([embedder.table[np.array([row])][0] for row in ROWS])[:, 2:-2, 2:-2])
        logits = F.linear(network(faces), head.logits.weight, head.logits.bias)
    labels = torch.from_numpy(LABELS[ROWS])
    assert set(metrics) == {"cross_entropy", "classification_accuracy"}
    assert metrics["cross_entropy"] == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
    accuracy = (logits.argmax(dim=1) == labels).double().mean().item()
    assert metrics["classification_accuracy"] == pytest.approx(accuracy)


def test_centres_do_not_move(embedder: TableEmbedder) -> None:
    loss = CenterLoss(SoftmaxLoss(4, PEOPLE), 4, version="wen", factor=0.1, lr=0.5)
    before = loss.centers.clone()
    metrics = ClassValidation(embedder=embedder, loss=loss, rows=ROWS, labels=LABELS[ROWS])(TinyNetwork())
    assert torch.equal(loss.centers, before)
    assert set(metrics) == {"cross_entropy", "classification_accuracy"}


def test_no_images_give_no_metrics(embedder: TableEmbedder) -> None:
    none = np.empty(0, np.int64)
    validate = ClassValidation(embedder=embedder, loss=SoftmaxLoss(4, PEOPLE), rows=none, labels=none)
    assert validate(TinyNetwork()) == {}


@pytest.mark.parametrize("version", [None, "dl4j", "wen"])
def test_predictions_are_the_highest_scores(embedder: TableEmbedder, version: str | None) -> None:
    torch.manual_seed(2)
    network, head = TinyNetwork().train(), SoftmaxLoss(4, PEOPLE)
    torch.nn.init.normal_(head.logits.bias)
    loss = CenterLoss(head, 4, version=version, factor=0.1, lr=0.5) if version else head
    validate = ClassValidation(embedder=embedder, loss=loss, rows=ROWS, labels=LABELS[ROWS])
    predicted = validate.predict(network)
    assert network.training
    metrics = validate(network)
    assert metrics["classification_accuracy"] == pytest.approx((predicted == LABELS[ROWS]).mean())
    prelogits = torch.from_numpy(replace(embedder, raw=True)(network, ROWS))
    features = F.normalize(prelogits) if version == "dl4j" else prelogits
    expected = F.linear(features, head.logits.weight, head.logits.bias).argmax(dim=1)
    assert predicted.tolist() == expected.tolist()

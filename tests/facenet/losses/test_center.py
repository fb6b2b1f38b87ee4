import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from facenet import networks
from facenet.losses import CenterLoss, build
from facenet.losses.center import VERSIONS
from facenet.model import ModelCard, NetworkCard, load_model, save_model
from facenet.networks import normalise

LRS = {"wen": 0.5, "dl4j": 0.9, "davidsandberg": 0.05}


def make(
    version: str, *, name: str = "softmax", size: int = 4, classes: int = 5, factor: float = 0.3
) -> CenterLoss:
    loss = build(
        name,
        embedding_size=size,
        classes=classes,
        center_factor=factor,
        center_version=version,
        center_rate=LRS[version],
    )
    assert isinstance(loss, CenterLoss)
    return loss


def naive_cost(rows: Tensor, centers: Tensor, labels: list[int], version: str) -> Tensor:
    """The center cost in float64, one number after the other."""
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(rows, labels, strict=True):
        for value, center in zip(row, centers[label], strict=True):
            total = total + (value - center) ** 2
    return total / rows.numel() if version == "davidsandberg" else total / 2 / len(rows)


def naive_step(rows: Tensor, centers: Tensor, labels: list[int], version: str) -> Tensor:
    """The step of the centres at lr 1, before the gradients of the layer are divided by their length."""
    steps = torch.zeros_like(centers)
    for j in range(len(centers)):
        own = [row for row, label in zip(rows, labels, strict=True) if label == j]
        for row in own:
            steps[j] += centers[j] - row
        if version != "davidsandberg":
            steps[j] /= 1 + len(own)
        if version == "dl4j":
            steps[j] /= len(rows)
    return steps


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_value_gradients_and_centres_against_loops_in_100_random_cases(version: str, autocast: bool) -> None:
    for seed in range(100):
        torch.manual_seed(seed)
        size, classes, count = (int(torch.randint(2, 8, ())) for _ in range(3))
        loss = make(version, size=size, classes=classes)
        loss.centers.normal_()
        before = loss.centers.double()
        prelogits = torch.randn(count, size).bfloat16().float().requires_grad_()
        labels = torch.randint(classes, (count,))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            output = loss(prelogits.bfloat16() if autocast else prelogits, labels)
        rows = prelogits.double()
        if version == "dl4j":
            rows = rows / rows.norm(dim=1, keepdim=True)
        weight, bias = loss.head.logits.weight, loss.head.logits.bias
        head = torch.nn.functional.cross_entropy(rows @ weight.double().t() + bias.double(), labels)
        cost = naive_cost(rows, before, labels.tolist(), version)
        expected = head + 0.3 * cost
        assert output.value.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-5)
        assert float(output.metrics["center"]) == pytest.approx(cost.item(), rel=1e-5, abs=1e-5)
        (found,) = torch.autograd.grad(output.value, prelogits, retain_graph=True)
        (reference,) = torch.autograd.grad(expected, prelogits, retain_graph=True)
        # Under autocast the prelogits are bfloat16, and so is what comes back to them.
        tolerance = 2e-2 if autocast else 2e-5
        torch.testing.assert_close(found, reference.float(), atol=tolerance, rtol=tolerance)
        step = LRS[version] * naive_step(rows.detach(), before, labels.tolist(), version)
        if version == "dl4j":
            parts = [*torch.autograd.grad(head, [weight, bias]), step]
            step = step / math.sqrt(sum(float(part.double().square().sum()) for part in parts))
        torch.testing.assert_close(loss.centers, (before - step).float(), atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("version", VERSIONS)
def test_centres_are_a_buffer_and_stay_put_in_evaluation(version: str) -> None:
    loss = make(version)
    assert "centers" in loss.state_dict()
    assert not any("centers" in name for name, _ in loss.named_parameters())
    if version != "wen":
        assert not loss.centers.any()
    before = loss.centers.clone()
    prelogits, labels = torch.randn(6, 4), torch.tensor([0, 0, 1, 2, 3, 3])
    loss.eval()(prelogits, labels)
    with torch.no_grad():
        loss.train()(prelogits, labels)
    assert torch.equal(loss.centers, before)
    loss(prelogits, labels)
    assert not torch.equal(loss.centers, before)
    assert torch.equal(loss.centers[4], before[4])  # no image of that person


def test_centres_reach_constant_features() -> None:
    torch.manual_seed(0)
    features, labels = torch.randn(16, 2), torch.arange(16)
    loss = CenterLoss(
        build("softmax", embedding_size=2, classes=16), 2, version="davidsandberg", factor=1.0, lr=0.5
    )
    for _ in range(100):
        output = loss(features, labels)
    torch.testing.assert_close(loss.centers, features, atol=1e-5, rtol=0)
    assert float(output.metrics["center"]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("labels", [[1], [1, 1, 1]])
def test_one_image_and_one_person_in_a_batch(version: str, labels: list[int]) -> None:
    loss, prelogits = make(version), torch.randn(len(labels), 4, requires_grad=True)
    output = loss(prelogits, torch.tensor(labels))
    output.value.backward()
    assert torch.isfinite(output.value)
    assert torch.isfinite(loss.centers).all()
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


@pytest.mark.parametrize("name", ["softmax", "softmax_squared", "cosface", "arcface"])
def test_any_classification_loss_can_have_it(name: str) -> None:
    torch.manual_seed(1)
    loss = make("wen", name=name)
    prelogits, labels = torch.randn(6, 4), torch.tensor([0, 0, 1, 2, 3, 3])
    cost = naive_cost(prelogits.double(), loss.centers.double(), labels.tolist(), "wen")
    expected = loss.head(prelogits, labels).value.double() + 0.3 * cost
    assert loss(prelogits, labels).value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_embeddings_are_bit_identical_without_the_head(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = networks.build("nn4_small2", embedding_size=16)
    loss = make("dl4j", size=16)
    optimizer = torch.optim.SGD([*network.parameters(), *loss.parameters()], lr=0.01)
    images, labels = torch.randn(6, 3, 65, 65), torch.tensor([0, 0, 1, 2, 3, 4])
    for _ in range(2):
        optimizer.zero_grad()
        loss(network(images), labels).value.backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        with_head = normalise(network(images))
        loss.eval()(network(images), labels)
    card = ModelCard(network=NetworkCard(name="nn4_small2", embedding_size=16, image_size=65), align={})
    save_model(network, card, weights=tmp_path / "w.safetensors", card_path=tmp_path / "model.json")
    alone, _ = load_model(tmp_path / "w.safetensors", tmp_path / "model.json")
    with torch.no_grad():
        assert torch.equal(networks.embed(alone, images), with_head)


PROCESS = """
import sys, torch
from torch import distributed
from facenet.losses import build
from facenet.losses.center import VERSIONS
rank, folder = int(sys.argv[1]), sys.argv[2]
store = distributed.FileStore(f"{folder}/store", 2)
distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
moved = []
for version in VERSIONS:
    torch.manual_seed(0)
    loss = build(
        "softmax", embedding_size=4, classes=5, center_factor=0.3, center_version=version, center_rate=0.5
    )
    prelogits, labels = torch.randn(8, 4), torch.tensor([0, 0, 1, 2, 3, 0, 1, 1])
    loss(prelogits, labels)
    moved.append(loss.centers)
torch.save(moved, f"{folder}/{rank}.pt")
distributed.destroy_process_group()
"""


def test_two_processes_move_the_centres_as_one(tmp_path: Path, root: Path) -> None:
    """Each process is given the whole batch, as facenet.training.update does."""
    commands = [[sys.executable, "-c", PROCESS, str(rank), str(tmp_path)] for rank in range(2)]
    children = [subprocess.Popen(command, cwd=root) for command in commands]
    assert [child.wait(timeout=300) for child in children] == [0, 0]
    for number, version in enumerate(VERSIONS):
        torch.manual_seed(0)
        loss = build(
            "softmax", embedding_size=4, classes=5, center_factor=0.3, center_version=version, center_rate=0.5
        )
        before = loss.centers.clone()
        loss(torch.randn(8, 4), torch.tensor([0, 0, 1, 2, 3, 0, 1, 1]))
        assert not torch.equal(loss.centers, before)
        for rank in range(2):
            torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt")[number], loss.centers)

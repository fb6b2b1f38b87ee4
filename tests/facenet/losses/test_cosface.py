import math

import pytest
import torch
from pytorch_metric_learning.losses import CosFaceLoss

from facenet.losses.cosface import CosineSoftmaxLoss
from tests.facenet.losses.loops import Naive, Tolerance, check_100_cases


def naive(
    loss: CosineSoftmaxLoss, prelogits: torch.Tensor, labels: torch.Tensor, margin: float, scale: float
) -> torch.Tensor:
    """Equation 4 of the paper in float64, row by row and class by class."""
    weight = loss.weight.double()
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(prelogits.double(), labels.tolist(), strict=True):
        logits = []
        for k in range(len(weight)):
            column = weight[k]
            cosine = (row * column).sum() / (row.norm() * column.norm())
            logits.append(scale * (cosine - margin if k == label else cosine))
        total = total - logits[label] + torch.logsumexp(torch.stack(logits), 0)
    return total / len(labels)


@pytest.mark.parametrize("autocast", [False, True])
def test_value_and_gradients_against_a_loop_in_100_random_cases(autocast: bool) -> None:
    def make(width: int, people: int, seed: int) -> tuple[CosineSoftmaxLoss, Naive]:
        margin, scale = [(0.2, 32.0), (0.35, 64.0), (0.0, 1.0)][seed % 3]
        loss = CosineSoftmaxLoss(width, people, margin=margin, scale=scale)
        return loss, lambda prelogits, labels: naive(loss, prelogits, labels, margin, scale)

    tolerance = Tolerance(value=1e-5, value_rel=1e-5, gradient=1e-4, gradient_rel=1e-4)
    assert len(list(check_100_cases(make, tolerance, autocast=autocast))) == 100


def test_lengths_do_not_matter_and_metrics_ignore_the_margin() -> None:
    loss = CosineSoftmaxLoss(2, 2, margin=0.4, scale=8)
    loss.weight.data = torch.tensor([[5.0, 0.0], [0.0, 0.1]])
    prelogits, labels = torch.tensor([[1.0, 0.8], [0.8, 1.0], [0.1, 7.0]]), torch.tensor([0, 1, 0])
    output = loss(prelogits, labels)
    torch.testing.assert_close(loss(prelogits * 100, labels).value, output.value)
    assert output.metrics["accuracy"] == pytest.approx(2 / 3)  # the first two only win without their margin


def test_golden_value_of_a_perfect_embedding() -> None:
    loss = CosineSoftmaxLoss(3, 3, margin=0.2, scale=32)
    loss.weight.data = torch.eye(3)
    value = loss(torch.eye(3), torch.arange(3)).value.item()
    assert value == pytest.approx(math.log(1 + 2 * math.exp(-32 * 0.8)), abs=1e-9)


def test_a_row_of_zeros_has_a_finite_loss_and_gradient() -> None:
    loss = CosineSoftmaxLoss(4, 3, margin=0.2, scale=32)
    prelogits = torch.zeros(2, 4, requires_grad=True)
    value = loss(prelogits, torch.tensor([0, 1])).value
    value.backward()
    assert torch.isfinite(value)
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


def test_value_and_gradients_equal_pytorch_metric_learning() -> None:
    torch.manual_seed(0)
    ours = CosineSoftmaxLoss(16, 7, margin=0.35, scale=64)
    theirs = CosFaceLoss(7, 16, margin=0.35, scale=64)
    theirs.W.data = ours.weight.data.t().clone()
    prelogits, labels = torch.randn(20, 16, requires_grad=True), torch.randint(7, (20,))
    left, right = ours(prelogits, labels).value, theirs(prelogits, labels)
    torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-6)
    found = torch.autograd.grad(left, [prelogits, ours.weight])
    expected = torch.autograd.grad(right, [prelogits, theirs.W])
    torch.testing.assert_close(found[0], expected[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[1], expected[1].t(), atol=1e-4, rtol=1e-4)

import math
from functools import partial

import pytest
import torch

from facenet.losses.softmax import SoftmaxLoss
from tests.facenet.losses.loops import Naive, Tolerance, check_100_cases


def naive(loss: SoftmaxLoss, prelogits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss in float64, row by row and class by class."""
    weight, bias = loss.logits.weight.double(), loss.logits.bias.double()
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(prelogits.double(), labels.tolist(), strict=True):
        logits = [(row * weight[k]).sum() + bias[k] for k in range(len(bias))]
        total = total - logits[label] + torch.logsumexp(torch.stack(logits), 0)
        norm = sum((abs(value) + 1e-4) ** loss.norm_p for value in row)
        total = total + loss.norm_factor * norm ** (1 / loss.norm_p)
    return total / len(labels)


@pytest.mark.parametrize("autocast", [False, True])
def test_value_and_gradients_against_a_loop_in_100_random_cases(autocast: bool) -> None:
    def make(width: int, people: int, seed: int) -> tuple[SoftmaxLoss, Naive]:
        factor, p = [(0.0, 1.0), (5e-4, 1.0), (0.1, 2.0)][seed % 3]
        loss = SoftmaxLoss(width, people, norm_factor=factor, norm_p=p)
        return loss, partial(naive, loss)

    tolerance = Tolerance(value=1e-5, gradient=1e-5, gradient_rel=1e-4)
    assert len(list(check_100_cases(make, tolerance, autocast=autocast))) == 100


def test_metrics() -> None:
    loss = SoftmaxLoss(2, 2, norm_factor=0.5)
    loss.logits.weight.data = torch.eye(2)
    output = loss(torch.tensor([[3.0, 0.0], [3.0, 0.0], [0.0, 3.0]]), torch.tensor([0, 1, 1]))
    assert output.metrics["accuracy"] == pytest.approx(2 / 3)
    assert output.metrics["prelogits_norm"] == pytest.approx(3 + 2e-4)
    entropy = math.log(1 + math.exp(-3))
    assert output.metrics["cross_entropy"] == pytest.approx((3 * entropy + 3) / 3, rel=1e-5)
    total = output.metrics["cross_entropy"] + 0.5 * output.metrics["prelogits_norm"]
    assert output.value.item() == pytest.approx(float(total))


def test_an_untrained_head_guesses_evenly() -> None:
    loss = SoftmaxLoss(4, 10)
    assert loss(torch.zeros(6, 4), torch.arange(6)).value.item() == pytest.approx(math.log(10))

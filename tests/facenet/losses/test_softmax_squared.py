import math
from functools import partial

import pytest
import torch

from facenet.losses.softmax_squared import SoftmaxSquaredLoss
from tests.facenet.losses.loops import Naive, Tolerance, check_100_cases


def naive(loss: SoftmaxSquaredLoss, prelogits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss in float64, row by row and class by class."""
    weight, bias = loss.logits.weight.double(), loss.logits.bias.double()
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(prelogits.double(), labels.tolist(), strict=True):
        powers = [((row * weight[k]).sum() + bias[k]).exp() for k in range(len(bias))]
        for k, power in enumerate(powers):
            total = total + (power / sum(powers) - float(k == label)) ** 2 / len(powers)
    return total / len(labels)


@pytest.mark.parametrize("autocast", [False, True])
def test_value_and_gradients_against_a_loop_in_100_random_cases(autocast: bool) -> None:
    def make(width: int, people: int, _seed: int) -> tuple[SoftmaxSquaredLoss, Naive]:
        loss = SoftmaxSquaredLoss(width, people)
        return loss, partial(naive, loss)

    tolerance = Tolerance(value=1e-6, gradient=1e-6, gradient_rel=1e-4)
    assert len(list(check_100_cases(make, tolerance, autocast=autocast))) == 100


def test_an_untrained_head_of_ten_people() -> None:
    output = SoftmaxSquaredLoss(4, 10)(torch.zeros(6, 4), torch.arange(6))
    assert output.value.item() == pytest.approx((0.9**2 + 9 * 0.1**2) / 10)
    assert output.metrics["squared_error"] == output.value
    assert math.isfinite(float(output.metrics["accuracy"]))

import math

import pytest
import torch

from facenet.losses.softmax_squared import SoftmaxSquaredLoss


def naive(loss: SoftmaxSquaredLoss, prelogits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss in float64, one row and one class at a time."""
    weight, bias = loss.logits.weight.double(), loss.logits.bias.double()
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(prelogits.double(), labels.tolist(), strict=True):
        powers = [((row * weight[k]).sum() + bias[k]).exp() for k in range(len(bias))]
        for k, power in enumerate(powers):
            total = total + (power / sum(powers) - float(k == label)) ** 2 / len(powers)
    return total / len(labels)


@pytest.mark.parametrize("autocast", [False, True])
def test_value_and_gradients_against_a_loop_in_100_random_cases(autocast: bool) -> None:
    for seed in range(100):
        torch.manual_seed(seed)
        size, classes, count = (int(torch.randint(2, 9, ())) for _ in range(3))
        loss = SoftmaxSquaredLoss(size, classes)
        prelogits = torch.randn(count, size).bfloat16().float().requires_grad_()
        labels = torch.randint(classes, (count,))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            output = loss(prelogits.bfloat16() if autocast else prelogits, labels)
        expected = naive(loss, prelogits, labels)
        assert output.value.item() == pytest.approx(expected.item(), abs=1e-6)
        variables = [prelogits, loss.logits.weight, loss.logits.bias]
        found = torch.autograd.grad(output.value, variables)
        wanted = torch.autograd.grad(expected, variables)
        # Under autocast the prelogits are bfloat16, and so is what comes back to them.
        for variable, left, right in zip(variables, found, wanted, strict=True):
            loose = autocast and variable is prelogits
            torch.testing.assert_close(
                left, right.float(), atol=1e-2 if loose else 1e-6, rtol=1e-2 if loose else 1e-4
            )


def test_an_untrained_head_of_ten_people() -> None:
    output = SoftmaxSquaredLoss(4, 10)(torch.zeros(6, 4), torch.arange(6))
    assert output.value.item() == pytest.approx((0.9**2 + 9 * 0.1**2) / 10)
    assert output.figures["squared_error"] == output.value
    assert math.isfinite(float(output.figures["accuracy"]))

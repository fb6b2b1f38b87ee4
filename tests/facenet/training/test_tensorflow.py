"""Against the formulas of TensorFlow 1's documentation, number by number."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from facenet.training.tensorflow import TensorFlowAdam, TensorFlowRMSprop

GRADIENTS = (0.3, -0.2, 0.1, 0.0, 2.0, -1e-3)
DECAY = 0.05


def train(make: Callable[[list[dict[str, object]]], torch.optim.Optimizer], lrs: list[float]) -> list[float]:
    """Return the weight after each step from 1, with the gradients above."""
    weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = make([{"params": [weight], "weight_decay": DECAY}])
    found = []
    for gradient, lr in zip(GRADIENTS, lrs, strict=True):
        optimizer.param_groups[0]["lr"] = lr
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
        found.append(weight.item())
    return found


@pytest.mark.parametrize("epsilon", [0.1, 1e-8])
@pytest.mark.parametrize("fused", [False, True])
def test_adam_adds_epsilon_before_the_correction_of_the_bias(epsilon: float, fused: bool) -> None:
    lrs = [0.05, 0.05, 0.02, 0.02, 0.01, 0.01]
    found = train(lambda g: TensorFlowAdam(g, lr=1.0, betas=(0.9, 0.999), eps=epsilon, fused=fused), lrs)
    weight, m, v = 1.0, 0.0, 0.0
    for t, (gradient, lr) in enumerate(zip(GRADIENTS, lrs, strict=True), start=1):
        g = gradient + DECAY * weight
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        lr_t = lr * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        weight -= lr_t * m / (math.sqrt(v) + epsilon)
        assert found[t - 1] == pytest.approx(weight, rel=1e-9)


def test_decoupled_decay_is_a_step_of_its_own() -> None:
    """With lr * weight_decay = l2 it is Deeplearning4j's w -= step + l2 * w, before its 1.0.0-beta4."""
    lrs = [0.1] * 6
    found = train(
        lambda g: TensorFlowAdam(g, lr=1.0, betas=(0.9, 0.999), eps=0.01, fused=False, decoupled=True), lrs
    )
    weight, m, v = 1.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        step = 0.1 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + 0.01)
        weight -= step + 0.1 * DECAY * weight
        assert found[t - 1] == pytest.approx(weight, rel=1e-9)


def test_the_first_step_is_a_thirtieth_of_pytorchs() -> None:
    """At t = 1 TensorFlow's epsilon of 0.1 counts as 0.1 / sqrt(0.001) = 3.16."""
    moved = {}
    for kind in (TensorFlowAdam, torch.optim.Adam):
        weight = nn.Parameter(torch.ones(1))
        weight.grad = torch.full((1,), 1e-3)
        kind([weight], lr=1.0, betas=(0.9, 0.999), eps=0.1).step()
        moved[kind] = 1 - weight.item()
    assert moved[torch.optim.Adam] / moved[TensorFlowAdam] == pytest.approx((3.1623 + 1e-3) / 0.101, rel=1e-2)


def test_rmsprop_has_epsilon_in_the_root_and_starts_from_one() -> None:
    lrs = [0.05, 0.05, 0.02, 0.02, 0.01, 0.01]
    found = train(lambda g: TensorFlowRMSprop(g, lr=1.0, alpha=0.9, momentum=0.8, eps=1.0), lrs)
    weight, square, velocity = 1.0, 1.0, 0.0
    for step, (gradient, lr) in enumerate(zip(GRADIENTS, lrs, strict=True)):
        g = gradient + DECAY * weight
        square = 0.9 * square + 0.1 * g * g
        velocity = 0.8 * velocity + lr * g / math.sqrt(square + 1.0)
        weight -= velocity
        assert found[step] == pytest.approx(weight, rel=1e-9)


def test_what_has_no_gradient_stays() -> None:
    weights = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))]
    weights[1].grad = torch.ones(2)
    TensorFlowRMSprop(weights, lr=0.1).step()
    assert torch.equal(weights[0], torch.ones(2))
    assert (weights[1] < 1).all()


def test_a_closure_is_evaluated() -> None:
    weight = nn.Parameter(torch.ones(1))

    def closure() -> float:
        loss = weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        return float(loss)

    assert TensorFlowRMSprop([weight], lr=0.1).step(closure) == 1.0
    assert weight.item() < 1

"""A head and its loss against loops, in value and gradients, over 100 random cases."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from facenet.losses.output import Loss

Naive = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far value and gradients may lie from those of float64.

    autocast: absolute and relative, of the gradient by the prelogits, which are bfloat16 then.
    """

    value: float
    value_rel: float = 1e-6
    gradient: float
    gradient_rel: float
    autocast: float = 1e-2


def check_100_cases(
    make: Callable[[int, int, int], tuple[Loss, Naive]], tolerance: Tolerance, *, autocast: bool
) -> Iterator[tuple[Loss, Tensor, Tensor]]:
    """Compare losses with loops, and yield each loss with its prelogits and labels.

    make: takes the width of the prelogits, the number of people and the number of the case, and returns the
    loss and the same in float64, row by row and class by class.
    """
    for seed in range(100):
        torch.manual_seed(seed)
        width, people, count = (int(torch.randint(2, 9, ())) for _ in range(3))
        loss, naive = make(width, people, seed)
        prelogits = torch.randn(count, width).bfloat16().float().requires_grad_()
        labels = torch.randint(people, (count,))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            value = loss(prelogits.bfloat16() if autocast else prelogits, labels).value
        expected = naive(prelogits, labels)
        assert value.item() == pytest.approx(expected.item(), rel=tolerance.value_rel, abs=tolerance.value)
        variables = [prelogits, *loss.parameters()]
        found, reference = (torch.autograd.grad(x, variables) for x in (value, expected))
        for variable, left, right in zip(variables, found, reference, strict=True):
            # Under autocast the prelogits are bfloat16, and so is what comes back to them.
            loose = autocast and variable is prelogits
            atol, rtol = [tolerance.autocast] * 2 if loose else (tolerance.gradient, tolerance.gradient_rel)
            torch.testing.assert_close(left, right.float(), atol=atol, rtol=rtol)
        yield loss, prelogits, labels

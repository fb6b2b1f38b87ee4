import math

import pytest
import torch
from pytorch_metric_learning.losses import ArcFaceLoss as TheirArcFaceLoss

from facenet.losses.arcface import ArcFaceLoss
from tests.facenet.losses.loops import Naive, Tolerance, check_100_cases

MARGINS_AND_SCALES = [(0.5, 64.0), (0.3, 32.0), (0.0, 1.0)]


def naive(
    loss: ArcFaceLoss, prelogits: torch.Tensor, labels: torch.Tensor, margin: float, scale: float
) -> torch.Tensor:
    """The loss in float64, row by row and class by class."""
    weight = loss.weight.double()
    total = torch.zeros((), dtype=torch.float64)
    for row, label in zip(prelogits.double(), labels.tolist(), strict=True):
        logits = []
        for k in range(len(weight)):
            cosine = (row * weight[k]).sum() / (row.norm() * weight[k].norm())
            if k == label:
                angle = cosine.clamp(-1 + 1e-7, 1 - 1e-7).acos()
                if angle + margin <= math.pi:
                    cosine = (angle + margin).cos()
                else:
                    cosine = cosine - margin * math.sin(margin)
            logits.append(scale * cosine)
        total = total - logits[label] + torch.logsumexp(torch.stack(logits), 0)
    return total / len(labels)


@pytest.mark.parametrize("autocast", [False, True])
def test_value_and_gradients_against_a_loop_in_100_random_cases(autocast: bool) -> None:
    def make(width: int, people: int, seed: int) -> tuple[ArcFaceLoss, Naive]:
        margin, scale = MARGINS_AND_SCALES[seed % 3]
        loss = ArcFaceLoss(width, people, margin=margin, scale=scale)
        return loss, lambda prelogits, labels: naive(loss, prelogits, labels, margin, scale)

    # Near a cosine of 1 the arc cosine magnifies the rounding of float32.
    tolerance = Tolerance(value=2e-5, value_rel=1e-5, gradient=2e-3, gradient_rel=2e-3, autocast=2e-2)
    beyond = 0
    for seed, (loss, prelogits, labels) in enumerate(check_100_cases(make, tolerance, autocast=autocast)):
        assert isinstance(loss, ArcFaceLoss)
        angles = torch.cosine_similarity(prelogits, loss.weight[labels]).acos()
        beyond += int((angles > math.pi - MARGINS_AND_SCALES[seed % 3][0]).sum())
    assert beyond >= 5


def test_value_and_gradients_equal_pytorch_metric_learning() -> None:
    torch.manual_seed(0)
    ours = ArcFaceLoss(16, 7, margin=0.5, scale=64)
    theirs = TheirArcFaceLoss(7, 16, margin=math.degrees(0.5), scale=64)
    theirs.W.data = ours.weight.data.t().clone()
    prelogits, labels = torch.randn(20, 16, requires_grad=True), torch.randint(7, (20,))
    left, right = ours(prelogits, labels).value, theirs(prelogits, labels)
    torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-6)
    found = torch.autograd.grad(left, [prelogits, ours.weight])
    expected = torch.autograd.grad(right, [prelogits, theirs.W])
    torch.testing.assert_close(found[0], expected[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found[1], expected[1].t(), atol=1e-4, rtol=1e-4)


def test_golden_value_of_a_perfect_embedding() -> None:
    loss = ArcFaceLoss(3, 3, margin=0.5, scale=8)
    loss.weight.data = torch.eye(3)
    prelogits = torch.eye(3, requires_grad=True)
    value = loss(prelogits, torch.arange(3)).value
    # The clamp moves a cosine of 1 by 1.2e-7, an angle of 0 by 4.9e-4 and this value by 6e-6 of itself.
    assert value.item() == pytest.approx(math.log(1 + 2 * math.exp(-8 * math.cos(0.5))), rel=5e-3)
    value.backward()
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_cosines_of_one_have_a_finite_gradient(sign: float) -> None:
    loss = ArcFaceLoss(4, 3, margin=0.5, scale=64)
    prelogits = (sign * loss.weight.detach()[[1, 2]] * 3).requires_grad_()
    value = loss(prelogits, torch.tensor([1, 2])).value
    value.backward()
    assert torch.isfinite(value)
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


def test_the_margin_makes_every_angle_harder_and_keeps_their_order() -> None:
    loss = ArcFaceLoss(2, 2, margin=0.5, scale=1)
    cosines = torch.linspace(-1, 1, 1001)
    harder = loss.with_margin(cosines)
    assert (harder < cosines + 1e-6).all()
    left = harder[cosines < -math.cos(0.5)]
    right = harder[cosines > -math.cos(0.5)]
    assert (left.diff() > -1e-6).all()
    assert (right.diff() > -1e-6).all()

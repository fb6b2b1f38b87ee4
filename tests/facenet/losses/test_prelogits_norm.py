import pytest
import torch

from facenet.losses.prelogits_norm import prelogits_norm


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_against_a_loop(p: float) -> None:
    prelogits = torch.randn(5, 7)
    total = 0.0
    for row in prelogits.tolist():
        total += sum((abs(value) + 1e-4) ** p for value in row) ** (1 / p)
    assert prelogits_norm(prelogits, p=p).item() == pytest.approx(total / 5, rel=1e-5)


def test_zeros_give_the_small_constant_summed_over_features_and_a_finite_gradient() -> None:
    prelogits = torch.zeros(3, 10, requires_grad=True)
    norm = prelogits_norm(prelogits, p=1.0)
    assert norm.item() == pytest.approx(1e-3)
    norm.backward()
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


def test_half_precision_is_summed_in_float32() -> None:
    norm = prelogits_norm(torch.full((2, 512), 1000.0, dtype=torch.float16), p=1.0)
    assert norm.item() == pytest.approx(512_000, rel=1e-6)

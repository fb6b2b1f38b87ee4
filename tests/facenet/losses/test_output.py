import pytest
import torch
from torch import Tensor

from facenet.loss_table import LOSSES
from facenet.losses import Loss, LossOutput, LossSettings, build


@pytest.mark.parametrize("name", LOSSES)
def test_the_value_is_a_float32_scalar_and_metrics_are_scalars_without_gradient(name: str) -> None:
    loss = build(name, embedding_size=8, classes=4)
    labels = torch.tensor([0, 0, 1, 1, 2, 3])
    prelogits = torch.randn(6, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = loss(prelogits.bfloat16(), labels)
    assert isinstance(output, LossOutput)
    assert output.value.dtype == torch.float32
    assert output.value.shape == ()
    for metric in output.metrics.values():
        assert not isinstance(metric, Tensor) or (metric.shape == () and not metric.requires_grad)
    output.value.backward()
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("softmax", 4 * 8 + 4),
        ("softmax_squared", 4 * 8 + 4),
        ("cosface", 4 * 8),
        ("arcface", 4 * 8),
        ("triplet", 0),
        ("contrastive", 0),
    ],
)
def test_losses_keep_their_own_weights(name: str, weights: int) -> None:
    loss = build(name, embedding_size=8, classes=4)
    assert sum(p.numel() for p in loss.parameters()) == weights
    other = build(name, embedding_size=8, classes=4)
    other.load_state_dict(loss.state_dict())
    prelogits, labels = torch.randn(6, 8), torch.tensor([0, 0, 1, 1, 2, 3])
    values = []
    for module in (loss, other):
        torch.manual_seed(0)
        values.append(module(prelogits, labels).value)
    assert torch.equal(*values)


def test_a_custom_loss_needs_only_forward() -> None:
    class Length(Loss):
        def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
            return LossOutput(prelogits.norm())

    length = Length.from_settings(LossSettings(embedding_size=4, classes=1))
    assert length(torch.ones(1, 4), torch.zeros(1)).value.item() == 2

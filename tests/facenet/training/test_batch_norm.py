"""Alone, its formula against PyTorch's; over two processes see test_processes.py."""

import copy

import pytest
import torch
from torch import nn

from facenet.training.batch_norm import SharedBatchNorm, share_batch_norm
from facenet.training.processes import Processes
from tests.facenet.training.tiny import TinyNetwork


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6, 7)])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, 0.005, None])
def test_it_is_batch_norm(shape: tuple[int, ...], affine: bool, momentum: float | None) -> None:
    torch.manual_seed(0)
    kind = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    plain = kind(3, eps=1e-3, momentum=momentum, affine=affine)
    if affine:
        nn.init.normal_(plain.weight)
        nn.init.normal_(plain.bias)
    shared = SharedBatchNorm(copy.deepcopy(plain), Processes())
    for _ in range(3):
        batch = torch.randn(shape) * 3 + 1
        one, other = batch.clone().requires_grad_(), batch.clone().requires_grad_()
        outputs = plain(one), shared(other)
        assert torch.allclose(*outputs, atol=1e-5)
        weights = torch.randn(shape)
        for output in outputs:
            (output * weights).sum().backward()
        assert torch.allclose(one.grad, other.grad, atol=1e-5)  # type: ignore[arg-type]  # they have one
    for name, buffer in plain.named_buffers():
        assert torch.allclose(buffer.float(), dict(shared.named_buffers())[name].float(), atol=1e-5)
    for a, b in zip(plain.parameters(), shared.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-4)  # type: ignore[arg-type]  # they have one
    assert torch.allclose(plain.eval()(batch), shared.eval()(batch), atol=1e-6)


def test_names_parameters_and_buffers_stay_those_of_the_network() -> None:
    network = TinyNetwork()
    before, names = list(network.parameters()), list(network.state_dict())
    share_batch_norm(network, Processes(0, 2))
    assert isinstance(network.bn, SharedBatchNorm)
    assert list(network.state_dict()) == names
    assert all(a is b for a, b in zip(before, network.parameters(), strict=True))


def test_with_one_process_the_network_is_unchanged() -> None:
    network = TinyNetwork()
    share_batch_norm(network, Processes())
    assert type(network.bn) is nn.BatchNorm2d


def test_half_precision_input_gives_half_precision_output() -> None:
    layer = SharedBatchNorm(nn.BatchNorm2d(3), Processes())
    assert layer(torch.randn(2, 3, 4, 4).bfloat16()).dtype == torch.bfloat16

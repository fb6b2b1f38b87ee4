import copy

import pytest
import torch
from torch import nn

from facenet.training.averaging import average


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_it_is_the_average_written_out() -> None:
    """Weights, biases and running statistics alike; the counter of batch norm is copied."""
    changing = network()
    averaged = average(changing, 0.5)
    expected = {name: tensor.double() for name, tensor in copy.deepcopy(changing).state_dict().items()}
    for update in range(8):
        with torch.no_grad():
            for parameter in changing.parameters():
                parameter.add_(torch.randn_like(parameter))
        changing(torch.randn(4, 3))
        averaged.update_parameters(changing)
        decay = min(0.5, (1 + update) / (10 + update))
        for name, tensor in changing.state_dict().items():
            expected[name] = decay * expected[name] + (1 - decay) * tensor.double()
    found = averaged.module.state_dict()
    assert found["1.num_batches_tracked"] == changing.state_dict()["1.num_batches_tracked"] == 8
    for name in found:
        if name != "1.num_batches_tracked":
            assert torch.allclose(found[name].double(), expected[name], atol=1e-6)


def test_the_network_itself_is_unchanged() -> None:
    changing = network()
    before = copy.deepcopy(changing.state_dict())
    averaged = average(changing, 0.9)
    averaged.update_parameters(changing)
    assert all(torch.equal(changing.state_dict()[name], before[name]) for name in before)
    assert changing.training
    assert not averaged.module.training


def test_it_continues_from_its_state() -> None:
    changing = network()
    one = average(changing, 0.9)
    with torch.no_grad():
        changing[0].weight.add_(1)
    one.update_parameters(changing)
    other = average(network(), 0.9)
    other.load_state_dict(one.state_dict())
    for averaged in (one, other):
        averaged.update_parameters(changing)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert one.module[0].weight.detach() != pytest.approx(changing[0].weight.detach())

import copy

import pytest
import torch
from torch import nn

from facenet.errors import ParamsInvalid
from facenet.training.optimizers import (
    OPTIMIZERS,
    OptimizerSettings,
    build_optimizer,
    parameter_groups,
    set_lr,
)


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4), nn.Flatten(), nn.Linear(4, 2, bias=True)
    )


def test_only_weights_decay() -> None:
    network, head = small_network(), nn.Linear(2, 5)
    decaying, free = parameter_groups([network, head], 0.1)
    names = {id(p): name for module in (network, head) for name, p in module.named_parameters()}
    assert [names[id(p)] for p in decaying["params"]] == ["0.weight", "4.weight", "weight"]
    assert [names[id(p)] for p in free["params"]] == [
        "0.bias",
        "1.weight",
        "1.bias",
        "2.weight",
        "4.bias",
        "bias",
    ]
    assert (decaying["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


def test_frozen_parameters_and_empty_groups_are_left_out() -> None:
    frozen = nn.Linear(2, 2)
    frozen.requires_grad_(False)
    groups = parameter_groups([frozen, nn.BatchNorm1d(2)], 0.1)
    assert [len(group["params"]) for group in groups] == [2]
    assert groups[0]["weight_decay"] == 0.0


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimiser_takes_a_first_step_downhill(name: str) -> None:
    network = small_network()
    images = torch.randn(8, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    optimizer = build_optimizer(name, [network], OptimizerSettings(lr=1e-3, weight_decay=0.0))
    before = network(images).square().mean()
    before.backward()
    optimizer.step()
    assert network(images).square().mean() < before


def test_decay_is_coupled_for_adam_and_decoupled_for_adamw() -> None:
    """With a gradient of zero, Adam still moves a full step by its L2 term; AdamW shrinks by lr x decay."""
    moved = {}
    for name in ("adam", "adamw", "adamw_tf"):
        layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(layer.weight, 1.0)
        optimizer = build_optimizer(name, [layer], OptimizerSettings(lr=0.01, weight_decay=0.1))
        layer.weight.grad = torch.zeros_like(layer.weight)
        optimizer.step()
        moved[name] = 1.0 - layer.weight.item()
    assert moved["adam"] == pytest.approx(0.01, rel=1e-3)
    assert moved["adamw"] == pytest.approx(0.001, rel=1e-3)
    assert moved["adamw_tf"] == pytest.approx(0.001, rel=1e-3)


def test_sgd_is_nesterov_with_momentum_as_written_out() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    optimizer = build_optimizer("sgd", [layer], OptimizerSettings(lr=0.1, weight_decay=0.5))
    weight, velocity = 1.0, None
    for _ in range(4):
        layer.weight.grad = torch.full_like(layer.weight, 0.3)
        optimizer.step()
        gradient = 0.3 + 0.5 * weight
        velocity = gradient if velocity is None else 0.9 * velocity + gradient
        weight -= 0.1 * (gradient + 0.9 * velocity)
        assert layer.weight.item() == pytest.approx(weight, rel=1e-5)


def test_adagrad_starts_from_tensorflows_accumulator() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    optimizer = build_optimizer("adagrad", [layer], OptimizerSettings(lr=0.1, weight_decay=0.0))
    layer.weight.grad = torch.full_like(layer.weight, 0.3)
    optimizer.step()
    assert layer.weight.item() == pytest.approx(1 - 0.1 * 0.3 / (0.1 + 0.3**2) ** 0.5, rel=1e-5)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_state_comes_back_bit_by_bit(name: str) -> None:
    """Going on with a loaded state gives the weights that going on at once gives."""
    network = small_network()
    optimizer = build_optimizer(name, [network], OptimizerSettings(lr=1e-2, weight_decay=1e-3))
    images = torch.randn(8, 3, 3, 3, generator=torch.Generator().manual_seed(1))

    def step(net: nn.Module, opt: torch.optim.Optimizer) -> None:
        opt.zero_grad()
        net(images).square().mean().backward()
        opt.step()

    step(network, optimizer)
    twin = copy.deepcopy(network)
    resumed = build_optimizer(name, [twin], OptimizerSettings(lr=1e-2, weight_decay=1e-3))
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    step(network, optimizer)
    step(twin, resumed)
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one, other)


def test_unknown_name_lists_all_names() -> None:
    with pytest.raises(ParamsInvalid, match="adamw"):
        build_optimizer("lion", [small_network()], OptimizerSettings(lr=0.1, weight_decay=0.0))


def one_weight() -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 1.0)
    return layer


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_momentum_and_nesterov_are_options(momentum: float, nesterov: bool) -> None:
    layer = one_weight()
    settings = OptimizerSettings(lr=0.1, momentum=momentum, nesterov=nesterov)
    optimizer = build_optimizer("sgd", [layer], settings)
    weight, velocity = 1.0, None
    for gradient in (0.3, -0.2, 0.1):
        layer.weight.grad = torch.full_like(layer.weight, gradient)
        optimizer.step()
        velocity = gradient if velocity is None else momentum * velocity + gradient
        weight -= 0.1 * (gradient + momentum * velocity if nesterov and momentum else velocity)
        assert layer.weight.item() == pytest.approx(weight, rel=1e-5)


def test_adam_is_pytorchs_with_epsilon_after_the_correction() -> None:
    layer = one_weight()
    settings = OptimizerSettings(lr=0.01, momentum=0.8, beta2=0.99, epsilon=0.1)
    optimizer = build_optimizer("adam", [layer], settings)
    weight, mean, square = 1.0, 0.0, 0.0
    for step, gradient in enumerate((0.3, -0.2, 0.1), start=1):
        layer.weight.grad = torch.full_like(layer.weight, gradient)
        optimizer.step()
        mean = 0.8 * mean + 0.2 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        corrected = (square / (1 - 0.99**step)) ** 0.5
        weight -= 0.01 * mean / (1 - 0.8**step) / (corrected + 0.1)
        assert layer.weight.item() == pytest.approx(weight, rel=1e-6)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "rmsprop_tf", "adam", "adam_tf", "adamw", "adagrad"])
def test_lr_and_momentum_are_set_in_every_group(name: str) -> None:
    optimizer = build_optimizer(name, [small_network()], OptimizerSettings(lr=0.1))
    set_lr(optimizer, 0.2)
    before = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    set_lr(optimizer, 0.3, 0.7)
    for group, former in zip(optimizer.param_groups, before, strict=True):
        assert (group["lr"], former["lr"]) == (0.3, 0.2)
        found = group["betas"][0] if "betas" in group else group.get("momentum")
        assert found == (None if name == "adagrad" else 0.7)


def test_nothing_left_to_train_is_reported() -> None:
    network = small_network().requires_grad_(False)
    with pytest.raises(ParamsInvalid, match=r"train\.freeze_to"):
        build_optimizer("sgd", [network], OptimizerSettings(lr=0.1))

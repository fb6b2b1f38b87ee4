"""Gradients are divided by their joint length per layer, against a loop over the layers."""

import math

import pytest
import torch
from torch import nn

from facenet.errors import ParamsInvalid
from facenet.losses import build
from facenet.losses.center import CenterLoss, center_step
from facenet.training.gradients import NORMALISATIONS, check_normalisation, normalise_gradients


def network_with_gradients() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    )
    layers(torch.randn(5, 3, 4, 4)).square().sum().backward()
    return layers


def length(module: nn.Module) -> float:
    """The joint length of the gradients of all parameters, number by number."""
    numbers = [
        value for p in module.parameters() if p.grad is not None for value in p.grad.flatten().tolist()
    ]
    return math.sqrt(sum(value**2 for value in numbers))


def test_each_layer_has_length_one_and_keeps_its_direction() -> None:
    network, loss = network_with_gradients(), nn.Linear(2, 3)
    loss(torch.ones(1, 2)).sum().backward()
    before = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    lengths = {"0": length(network[0]), "1": length(network[1]), "2.1": length(network[2][1])}
    normalise_gradients("l2_per_layer", network, loss)
    for name, layer in (("0", network[0]), ("1", network[1]), ("2.1", network[2][1])):
        assert length(layer) == pytest.approx(1, rel=1e-5)
        for part in ("weight", "bias"):
            found = layer.get_parameter(part).grad
            torch.testing.assert_close(found, before[f"{name}.{part}"] / lengths[name])
    assert length(loss) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("name", ["none", "l2_loss_layer"])
def test_the_network_is_unchanged_otherwise(name: str) -> None:
    network, loss = network_with_gradients(), nn.Linear(2, 3)
    (3 * loss(torch.ones(1, 2))).sum().backward()
    before = length(network), length(loss)
    normalise_gradients(name, network, loss)
    assert length(network) == before[0]
    assert length(loss) == pytest.approx(before[1] if name == "none" else 1, rel=1e-5)


def test_the_step_of_the_centres_is_part_of_the_layer_in_deeplearning4j() -> None:
    torch.manual_seed(1)
    loss = build(
        *("softmax",), embedding_size=4, classes=3,
        center_factor=1e-4, center_version="dl4j", center_rate=0.9,
    )  # fmt: skip
    assert isinstance(loss, CenterLoss)
    prelogits, labels = torch.nn.functional.normalize(torch.randn(6, 4)), torch.tensor([0, 0, 1, 1, 2, 2])
    before = loss.centers.clone()
    step = 0.9 * center_step(prelogits, before, labels, version="dl4j")
    loss(prelogits, labels).value.backward()
    joint = math.sqrt(length(loss) ** 2 + float(step.square().sum()))
    weight = loss.head.logits.weight.grad.clone()
    normalise_gradients("l2_loss_layer", nn.Linear(1, 1), loss)
    torch.testing.assert_close(loss.head.logits.weight.grad, weight / joint)
    torch.testing.assert_close(before - loss.centers, step / joint)
    moved = float((before - loss.centers).square().sum())
    assert length(loss) ** 2 + moved == pytest.approx(1, rel=1e-5)


def test_gradients_of_zero_stay_zero_and_layers_without_one_are_left_out() -> None:
    layer, loss = nn.Linear(2, 2), nn.Identity()
    normalise_gradients("l2_per_layer", layer, loss)
    assert layer.weight.grad is None
    layer.weight.grad, layer.bias.grad = torch.zeros(2, 2), torch.zeros(2)
    normalise_gradients("l2_per_layer", layer, loss)
    assert not layer.weight.grad.any()


def test_an_unknown_name_lists_all_names() -> None:
    for name in NORMALISATIONS:
        check_normalisation(name)
    with pytest.raises(ParamsInvalid, match=r"'clip'.*none, l2_per_layer, l2_loss_layer"):
        check_normalisation("clip")

from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from facenet.errors import ParamsInvalid
from facenet.networks import NETWORKS, build
from facenet.networks.embedding import EmbeddingNetwork
from facenet.networks.summary import Layer, summarise


class Tiny(EmbeddingNetwork):
    variants: ClassVar[dict[str, str]] = {"only": "of the test"}
    published_image_size, published_embedding_size, min_image_size = 8, 4, 2

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3), nn.BatchNorm2d(6))
        self.last_linear = nn.Linear(6, 4)

    def forward(self, images: Tensor) -> Tensor:
        self.check_size(images)
        prelogits: Tensor = self.last_linear(self.stem(images).mean(dim=(2, 3)))
        return prelogits


def test_a_small_network_by_hand() -> None:
    assert summarise(Tiny(), 8) == [
        Layer("stem", "Sequential", (6, 4, 4), 6 * 9 + 6 + 12, 6 * 16 * 9),
        Layer("last_linear", "Linear", (4,), 28, 24),
    ]
    assert summarise(Tiny(), 8, depth=2) == [
        Layer("stem.0", "Conv2d", (6, 4, 4), 60, 864),
        Layer("stem.1", "BatchNorm2d", (6, 4, 4), 12, 0),
        Layer("last_linear", "Linear", (4,), 28, 24),
    ]


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_nothing_is_lost_at_any_depth(name: str) -> None:
    network = build(name, embedding_size=16)
    size = network.min_image_size
    parameters = sum(p.numel() for p in network.parameters())
    totals = [
        (sum(layer.parameters for layer in layers), sum(layer.multiply_adds for layer in layers))
        for layers in (summarise(network, size, depth=depth) for depth in (1, 2, 9))
    ]
    assert [total[0] for total in totals] == [parameters] * 3
    assert len({total[1] for total in totals}) == 1


def test_multiply_adds_of_nn1_at_220_pixels_against_its_table() -> None:
    sides = {"conv1": 110, "conv2a": 55, "conv2": 55, "conv3a": 28, "conv3": 28, "fc1": 1, "last_linear": 1}
    weights = {
        "conv1": 49 * 3 * 64, "conv2a": 64 * 64, "conv2": 9 * 64 * 192, "conv3a": 192 * 192,
        "conv3": 9 * 192 * 384, "fc1": 6272 * 4096, "last_linear": 4096 * 128,
    }  # fmt: skip
    found = {layer.name: layer.multiply_adds for layer in summarise(build("nn1"), 220)}
    assert {name: found[name] for name in sides} == {name: weights[name] * sides[name] ** 2 for name in sides}
    # The paper says 1.6 billion, 136 million of them fully connected, which are 26 million here.
    assert sum(found.values()) == pytest.approx(1.6e9 - 136e6 + 26e6, rel=0.02)


def test_summarising_leaves_the_network_unchanged() -> None:
    network = Tiny().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    summarise(network, 8)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_images_below_the_minimum_size_are_refused() -> None:
    network = Tiny().train()
    with pytest.raises(ParamsInvalid, match="at least 2 px"):
        summarise(network, 1)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())

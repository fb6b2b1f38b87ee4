"""Folding batch norms does not change what a network computes."""

import pytest
import torch
from torch import nn

from facenet import networks
from facenet.networks.dlib_resnet import Affine
from facenet.networks.folding import fold_batch_norm

CASES = [(name, variant) for name, network in networks.NETWORKS.items() for variant in network.variants]


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_folded_networks_agree(name: str, variant: str) -> None:
    torch.manual_seed(666)
    network = networks.build(name, embedding_size=16, variant=variant)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | Affine):  # as if trained
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) * 0.1
            module.running_var = torch.rand(module.num_features) + 0.5
    side = max(96, network.min_image_size)
    faces = torch.randn(2, 3, side, side)
    folded = fold_batch_norm(network)
    assert network.training
    with torch.inference_mode():
        expected, found = network.eval()(faces), folded(faces)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize(
    ("name", "variant"),
    [("inception_resnet_v1", None), ("dlib_resnet", "affine"), ("dlib_resnet", "batch_norm")],
)
def test_the_layers_after_convolutions_are_gone(name: str, variant: str | None) -> None:
    network = fold_batch_norm(networks.build(name, embedding_size=16, variant=variant))
    assert not any(isinstance(module, nn.BatchNorm2d | Affine) for module in network.modules())

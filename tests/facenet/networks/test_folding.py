"""Folding batch norms does not change what a network computes."""

import pytest
import torch
from torch import nn

from facenet import networks
from facenet.networks.folding import fold_batch_norm

CASES = [(name, variant) for name, network in networks.NETWORKS.items() for variant in network.variants]


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_folded_networks_agree(name: str, variant: str) -> None:
    torch.manual_seed(666)
    network = networks.build(name, embedding_size=16, variant=variant)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as if trained
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            module.running_mean = torch.randn(module.num_features) * 0.1
            module.running_var = torch.rand(module.num_features) + 0.5
    faces = torch.randn(2, 3, 96, 96)
    folded = fold_batch_norm(network)
    assert network.training
    with torch.inference_mode():
        expected, found = network.eval()(faces), folded(faces)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_the_batch_norms_of_blocks_are_gone() -> None:
    network = fold_batch_norm(networks.build("inception_resnet_v1", embedding_size=16))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())

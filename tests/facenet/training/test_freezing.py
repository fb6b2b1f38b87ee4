import pytest
import torch
from torch import nn

from facenet import networks
from facenet.errors import ParamsInvalid
from facenet.training.freezing import freeze_to
from tests.facenet.training.tiny import TinyNetwork


def test_all_layers_up_to_the_named_one_are_frozen() -> None:
    network = TinyNetwork()
    assert freeze_to(network, "bn") == [network.conv, network.bn]
    assert [name for name, p in network.named_parameters() if p.requires_grad] == [
        "linear.weight",
        "linear.bias",
    ]
    assert not network.bn.training
    assert network.linear.training


def test_nothing_is_frozen_without_a_name() -> None:
    network = TinyNetwork()
    assert freeze_to(network, None) == []
    assert all(p.requires_grad for p in network.parameters())


def test_an_unknown_layer_lists_all_layers() -> None:
    with pytest.raises(ParamsInvalid, match=r"no layer 'body'.*train\.freeze_to.*conv, bn, dropout, linear"):
        freeze_to(TinyNetwork(), "body")


@pytest.mark.parametrize("name", sorted(networks.NETWORKS))
def test_layers_are_frozen_in_the_order_in_which_images_pass_them(name: str) -> None:
    """What the last frozen layer gives needs no gradient, since nothing before it does."""
    network = networks.build(name, embedding_size=8)
    trained = [name for name, child in network.named_children() if any(True for _ in child.parameters())]
    layer = trained[len(trained) // 2]
    freeze_to(network, layer)
    seen: dict[str, bool] = {}

    def note(child: str) -> object:
        return lambda _module, _inputs, output: seen.__setitem__(child, output.requires_grad)

    for child, module in network.named_children():
        module.register_forward_hook(note(child))  # type: ignore[arg-type]  # a hook
    side = max(96, network.min_image_size)
    network(torch.zeros(2, 3, side, side))
    children = [child for child, _ in network.named_children()]
    assert list(seen) == children
    after = children.index(layer) + 1
    assert not any(seen[child] for child in children[:after])
    assert seen[children[-1]]
    assert isinstance(network, nn.Module)

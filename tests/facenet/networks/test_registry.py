import pytest
import torch
from torch import nn

from facenet.errors import ParamsInvalid
from facenet.networks import NETWORKS, build, embed, find

VARIANTS = [(name, variant) for name, network in NETWORKS.items() for variant in network.variants]


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_network_embeds_at_its_minimum_size_and_at_an_odd_one(name: str, variant: str) -> None:
    network = build(name, embedding_size=24, dropout=0.5, variant=variant).eval()
    assert network.variant == variant
    for size in (network.min_image_size, max(101, network.min_image_size + 2)):
        images = torch.randn(2, 3, size, size)
        with torch.no_grad():
            embeddings, prelogits = embed(network, images), network(images)
        assert embeddings.shape == (2, 24)
        if network.normalised:
            torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2), atol=1e-6, rtol=0)
        else:
            assert torch.equal(embeddings, prelogits)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_raw_variants_exist(name: str) -> None:
    assert set(find(name).raw_variants) <= set(find(name).variants)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_smaller_images_are_refused_with_the_minimum_size(name: str) -> None:
    network = build(name, embedding_size=8)
    least = network.min_image_size
    with pytest.raises(ParamsInvalid, match=f"at least {least} px, got {least}x{least - 1}"):
        network(torch.zeros(1, 3, least - 1, least))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_equal_seeds_build_equal_networks(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(build(name, embedding_size=8).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_dropout_acts_in_training_only(name: str) -> None:
    network = build(name, embedding_size=8, dropout=0.9)
    images = torch.randn(2, 3, 103, 103)
    network.eval()
    network.dropout.train()
    with torch.no_grad():
        assert not torch.equal(network(images), network(images))
        network.eval()
        assert torch.equal(network(images), network(images))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_channels_last_changes_the_memory_order_and_not_the_result(name: str) -> None:
    network = build(name, embedding_size=16).eval()
    images = torch.randn(2, 3, 112, 112)
    orders: list[bool] = []

    def note(_module: nn.Module, _inputs: object, out: torch.Tensor) -> None:
        if out.shape[-1] > 1:  # a map of 1x1 has no order
            orders.append(out.is_contiguous(memory_format=torch.channels_last))

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    with torch.no_grad():
        plain = network(images)
        network.to(memory_format=torch.channels_last)
        ordered = network(images.to(memory_format=torch.channels_last))
    half = len(orders) // 2
    assert orders == [False] * half + [True] * half
    assert half
    torch.testing.assert_close(plain, ordered, atol=1e-4, rtol=1e-4)


def test_an_unknown_name_lists_all_names() -> None:
    with pytest.raises(ParamsInvalid, match=rf"'resnet'.*{', '.join(NETWORKS)}"):
        build("resnet", embedding_size=8)


def test_an_unknown_variant_lists_all_variants() -> None:
    with pytest.raises(ParamsInvalid, match=r"NN4Small2 has no variant 'torch'.*openface, dl4j"):
        build("nn4_small2", variant="torch")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_embedding_size_is_the_published_one_by_default(name: str) -> None:
    assert build(name).last_linear.out_features == find(name).published_embedding_size

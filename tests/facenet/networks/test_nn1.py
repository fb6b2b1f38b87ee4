import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from facenet.networks import embed
from facenet.networks.nn1 import NN1, InertBatchNorm, Maxout


def maps(network: NN1, side: int) -> dict[str, int]:
    seen: dict[str, int] = {}
    for name in ("conv1", "pool1", "conv2", "pool2", "conv3", "pool3", "conv6", "pool4"):
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, out, name=name: seen.update({name: out.shape[2]})
        )
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, side, side))
    return seen


@pytest.mark.parametrize("variant", NN1.variants)
def test_parameter_count(variant: str) -> None:
    assert sum(p.numel() for p in NN1(variant=variant).parameters()) == 29_393_728


def test_parameter_counts_of_the_layers() -> None:
    network = NN1(64)
    names = ("conv1", "conv2a", "conv2", "conv3a", "conv3", "conv4a", "conv4", "conv5a", "conv5", "conv6a")
    counts = [sum(p.numel() for p in network.get_submodule(name).parameters()) for name in (*names, "conv6")]
    assert counts == [9600, 4288, 111168, 37440, 664704, 148608, 885504, 66304, 590592, 66304, 590592]
    assert network.fc1.in_features == 6272
    assert network.last_linear.weight.shape == (64, 4096)


def test_maps_at_220_pixels() -> None:
    assert maps(NN1(8), 220) == {
        "conv1": 110, "pool1": 55, "conv2": 55, "pool2": 28,
        "conv3": 28, "pool3": 14, "conv6": 14, "pool4": 7,
    }  # fmt: skip


def test_map_sides_are_rounded_up_at_an_odd_size() -> None:
    sides = maps(NN1(8), 97)
    assert [sides[name] for name in ("conv1", "pool1", "pool2", "pool3", "pool4")] == [
        math.ceil(97 / 2**power) for power in range(1, 6)
    ]


def test_maxout_takes_the_larger_of_neighbouring_channels() -> None:
    x = torch.randn(2, 6, 3, 4)
    out = Maxout()(x)
    assert out.shape == (2, 3, 3, 4)
    for channel in range(3):
        assert torch.equal(out[:, channel], torch.maximum(x[:, 2 * channel], x[:, 2 * channel + 1]))


def test_inert_batch_norm_only_scales_and_shifts() -> None:
    norm, x = InertBatchNorm(3, eps=1e-3).train(), torch.randn(4, 3, 5, 5) * 7 + 2
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    expected = x / math.sqrt(1.001) * norm.weight[:, None, None] + norm.bias[:, None, None]
    torch.testing.assert_close(norm(x), expected)
    assert torch.equal(norm.running_mean, torch.zeros(3))
    assert torch.equal(norm.running_var, torch.ones(3))
    assert norm.num_batches_tracked.item() == 0


def test_only_the_faithful_variant_is_equal_in_both_modes() -> None:
    images = torch.rand(3, 3, 65, 65) * 2 - 1
    for variant, equal in (("faithful", True), ("sane", False)):
        torch.manual_seed(0)
        network = NN1(8, dropout=0.5, variant=variant)
        with torch.no_grad():
            training, evaluating = network.train()(images), network.eval()(images)
            lengths = embed(network, images).norm(dim=1)
        assert torch.equal(training, evaluating) == equal
        assert torch.allclose(lengths, torch.ones(3)) != equal


def test_the_hidden_layer_is_rectified_and_follows_the_last_map() -> None:
    network = NN1(8).eval()
    hidden: list[torch.Tensor] = []
    network.dropout.register_forward_hook(lambda _module, inputs, _out: hidden.append(inputs[0]))
    last: list[torch.Tensor] = []
    network.pool4.register_forward_hook(lambda _module, _inputs, out: last.append(out))
    with torch.no_grad():
        prelogits = network(torch.randn(2, 3, 220, 220))
        pairs = last[0].reshape(2, 128, 2, 7, 7).amax(dim=2)  # at 220 px the map is not resized
        expected = F.relu(network.fc1(pairs.flatten(1)))
    torch.testing.assert_close(hidden[0], expected)
    torch.testing.assert_close(prelogits, network.last_linear(expected))


def test_published_sizes_and_raw_variants() -> None:
    assert (NN1.published_image_size, NN1.published_embedding_size) == (220, 128)
    assert NN1.raw_variants == ("faithful",)

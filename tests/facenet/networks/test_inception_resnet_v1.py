from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.networks import embed, load_state
from facenet.networks.inception_resnet_v1 import InceptionResnetV1, block8, block17, block35


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def gammas(module: nn.Module) -> int:
    norms = (m for m in module.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d))
    return sum(m.weight.numel() for m in norms)


@pytest.fixture(scope="module")
def network() -> InceptionResnetV1:
    return InceptionResnetV1(512).eval()


@pytest.mark.parametrize(
    ("size", "expected", "without_gamma"), [(512, 23482624, 23467824), (128, 22793728, 22779312)]
)
def test_parameter_counts(size: int, expected: int, without_gamma: int) -> None:
    built = InceptionResnetV1(size)
    assert count(built) == expected
    assert count(built) - gammas(built) == without_gamma


def test_parameter_counts_of_the_blocks(network: InceptionResnetV1) -> None:
    stem = ("conv2d_1a", "conv2d_2a", "conv2d_2b", "conv2d_3b", "conv2d_4a", "conv2d_4b")
    assert sum(count(network.get_submodule(name)) for name in stem) == 615_552
    blocks = ("repeat_1", "mixed_6a", "repeat_2", "mixed_7a", "repeat_3", "block8")
    counts = [count(network.get_submodule(name)) for name in blocks]
    assert counts == [387_200, 1_710_080, 6_900_480, 3_346_176, 8_003_840, 1_600_768]


def shapes(network: InceptionResnetV1, size: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    names = (
        "conv2d_1a conv2d_2a conv2d_2b maxpool_3a conv2d_3b conv2d_4a conv2d_4b repeat_1 mixed_6a repeat_2"
    )
    names += " mixed_7a repeat_3 block8"
    hooks = [
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, out: seen.append((out.shape[1], out.shape[2]))
        )
        for name in names.split()
    ]
    with torch.no_grad():
        network(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return seen


def test_maps_at_160_pixels(network: InceptionResnetV1) -> None:
    assert shapes(network, 160) == [
        (32, 79), (32, 77), (64, 77), (64, 38), (80, 38), (192, 36), (256, 17), (256, 17),
        (896, 8), (896, 8), (1792, 3), (1792, 3), (1792, 3),
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "maps"), [(75, (7, 3, 1)), (96, (9, 4, 1)), (112, (11, 5, 2))])
def test_maps_at_other_sizes(network: InceptionResnetV1, size: int, maps: tuple[int, int, int]) -> None:
    sides = [side for _, side in shapes(network, size)]
    assert (sides[7], sides[9], sides[12]) == maps


def test_batch_norm_as_published(network: InceptionResnetV1) -> None:
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {1e-3}
    assert {norm.momentum for norm in norms} == {0.1}
    slow = InceptionResnetV1(8, variant="davidsandberg")
    assert {m.momentum for m in slow.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)} == {0.005}
    assert count(slow) - sum(p.numel() for p in slow.parameters() if p.requires_grad) == gammas(slow)
    assert slow.state_dict().keys() == network.state_dict().keys()
    convolutions = {name: m for name, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    assert {name.rsplit(".", 1)[-1] for name, m in convolutions.items() if m.bias is not None} == {"conv2d"}


def convolved(block: nn.Module, x: Tensor, padding: int | tuple[int, int] = 0) -> Tensor:
    conv, norm = block.conv, block.bn
    out = F.conv2d(x, conv.weight, padding=padding)
    scale = norm.weight / (norm.running_var + 1e-3).sqrt()
    return F.relu((out - norm.running_mean[:, None, None]) * scale[:, None, None] + norm.bias[:, None, None])


def test_residual_blocks_against_their_formula() -> None:
    torch.manual_seed(0)
    for make, channels, scale, pads in (
        (block35, 256, 0.17, None),
        (block17, 896, 0.10, ((0, 3), (3, 0))),
        (block8, 1792, 0.20, ((0, 1), (1, 0))),
    ):
        block = make(0.1).eval()
        for norm in (m for m in block.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
        x = torch.randn(2, channels, 5, 5)
        branches = [convolved(block.branch0, x)]
        if pads is None:
            branches.append(convolved(block.branch1[1], convolved(block.branch1[0], x), 1))
            middle = convolved(block.branch2[1], convolved(block.branch2[0], x), 1)
            branches.append(convolved(block.branch2[2], middle, 1))
        else:
            middle = convolved(block.branch1[1], convolved(block.branch1[0], x), pads[0])
            branches.append(convolved(block.branch1[2], middle, pads[1]))
        up = F.conv2d(torch.cat(branches, 1), block.conv2d.weight, block.conv2d.bias)
        with torch.no_grad():
            torch.testing.assert_close(block(x), F.relu(x + scale * up), atol=1e-4, rtol=1e-4)


def test_the_last_block_has_scale_one_and_no_relu(network: InceptionResnetV1) -> None:
    assert [block.scale for block in network.repeat_3] == [0.2] * 5
    assert network.block8.scale == 1.0
    with torch.no_grad():
        assert (network.block8(torch.randn(1, 1792, 3, 3)) < 0).any()


@pytest.mark.shared
def test_published_weights_load_strictly_and_embed(shared: Path) -> None:
    network = InceptionResnetV1(512).eval()
    before = network.conv2d_1a.conv.weight.clone()
    load_state(network, shared / "weights" / "inception-resnet-v1-casia-webface.fp16.safetensors")
    assert not torch.equal(before, network.conv2d_1a.conv.weight)
    assert {value.dtype for name, value in network.state_dict().items() if "tracked" not in name} == {
        torch.float32
    }
    assert network.last_bn.num_batches_tracked.shape == ()
    assert torch.equal(network.last_bn.weight, torch.ones(512))  # slim has no gamma
    with torch.no_grad():
        embeddings = embed(network, torch.rand(2, 3, 160, 160) * 2 - 1)
    assert (embeddings.norm(dim=1) - 1).abs().max() < 1e-6


def test_published_sizes_and_raw_variants() -> None:
    assert (InceptionResnetV1.published_image_size, InceptionResnetV1.published_embedding_size) == (160, 512)
    assert InceptionResnetV1.raw_variants == ()

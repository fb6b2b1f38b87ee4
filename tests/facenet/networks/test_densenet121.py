import pytest
import torch
import torch.nn.functional as F
from torch import nn

from facenet.networks.densenet121 import DenseNet121, Unit


@pytest.mark.parametrize(("variant", "parameters"), [("full", 6_986_656), ("siamese", 5_123_040)])
def test_parameter_counts(variant: str, parameters: int) -> None:
    network = DenseNet121(variant=variant)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_parameter_counts_of_the_full_variant() -> None:
    network = DenseNet121(1000)
    assert sum(p.numel() for p in network.parameters()) == 7_978_856
    head = sum(p.numel() for p in network.last_linear.parameters())
    assert 7_978_856 - head == 6_953_856


NAMES = [
    "conv0",
    "pool0",
    "block1",
    "transition1",
    "block2",
    "transition2",
    "block3",
    "transition3",
    "block4",
]


@pytest.mark.parametrize(
    ("variant", "channels"),
    [
        ("full", [64, 64, 256, 128, 512, 256, 1024, 512, 1024]),
        ("siamese", [64, 64, 192, 192, 384, 384, 768, 768, 512]),
    ],
)
@pytest.mark.parametrize(
    ("side", "sides"),
    [
        (224, [112, 56, 56, 28, 28, 14, 14, 7, 7]),
        (128, [64, 32, 32, 16, 16, 8, 8, 4, 4]),
        (32, [16, 8, 8, 4, 4, 2, 2, 1, 1]),
    ],
)
def test_maps(variant: str, channels: list[int], side: int, sides: list[int]) -> None:
    network, seen = DenseNet121(8, variant=variant).eval(), []
    for name in NAMES:
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, out: seen.append((out.shape[1], out.shape[2]))
        )
    with torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    assert seen == list(zip(channels, sides, strict=True))


def test_a_unit_appends_to_its_input_or_replaces_it() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 40, 5, 5)
    for replaces in (False, True):
        unit = Unit(40, replaces=replaces).eval()
        narrow = F.conv2d(F.relu(x / (1 + 1e-5) ** 0.5), unit.conv1.weight)
        new = F.conv2d(F.relu(narrow / (1 + 1e-5) ** 0.5), unit.conv2.weight, padding=1)
        expected = new if replaces else torch.cat([x, new], dim=1)
        with torch.no_grad():
            torch.testing.assert_close(unit(x), expected, atol=1e-5, rtol=1e-5)


def test_only_the_first_unit_of_a_siamese_block_replaces() -> None:
    for variant in DenseNet121.variants:
        network = DenseNet121(8, variant=variant)
        blocks = [network.get_submodule(f"block{number}") for number in range(1, 5)]
        assert [len(block) for block in blocks] == [6, 12, 24, 16]
        for block in blocks:
            assert [unit.replaces for unit in block] == [variant == "siamese"] + [False] * (len(block) - 1)


def test_batch_norm_and_biases() -> None:
    for variant, norm, biased in (("full", (1e-5, 0.1), set()), ("siamese", (1e-3, 0.003), {"conv0"})):
        network = DenseNet121(8, variant=variant)
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        assert {(m.eps, m.momentum) for m in norms} == {norm}
        convolutions = {name: m for name, m in network.named_modules() if isinstance(m, nn.Conv2d)}
        assert {name for name, m in convolutions.items() if m.bias is not None} == biased


@pytest.mark.parametrize("variant", DenseNet121.variants)
def test_every_weight_gets_a_finite_gradient_in_bfloat16(variant: str) -> None:
    network = DenseNet121(8, variant=variant)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = network(torch.randn(2, 3, 64, 64)).float().square().mean()
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_published_sizes_and_raw_variants() -> None:
    assert (DenseNet121.published_image_size, DenseNet121.published_embedding_size) == (128, 32)
    assert DenseNet121.raw_variants == ("siamese",)

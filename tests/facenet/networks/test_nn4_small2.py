import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.networks.nn4_small2 import HELPER_BLOCKS, L2PoolProjection, NN4Small2, l2_pool

BLOCKS = ["inception_3a", "inception_3b", "inception_3c", "inception_4a", "inception_4e"]
BLOCKS += ["inception_5a", "inception_5b", "last_linear"]


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameter_counts() -> None:
    openface, dl4j = NN4Small2(), NN4Small2(variant="dl4j")
    assert count(openface) == 3_733_968
    assert count(dl4j) == 3_570_128
    statistics = sum(2 * m.num_features for m in dl4j.modules() if isinstance(m, nn.BatchNorm2d))
    assert statistics == 9_312
    assert count(dl4j) + statistics + 128 * 5749 + 5749 + 5749 * 128 == 5_056_933


def test_parameter_counts_of_the_blocks() -> None:
    network = NN4Small2()
    assert count(network.conv1) + count(network.inception_2) == 125_056
    counts = [count(network.get_submodule(name)) for name in BLOCKS]
    assert counts == [164_432, 228_672, 398_752, 547_072, 718_624, 793_024, 664_000, 94_336]


def maps(network: NN4Small2, size: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    for name in ["conv1", "pool1", "inception_2", "pool2", *BLOCKS[:-1]]:
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, out: seen.append((out.shape[1], out.shape[2]))
        )
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, size, size))
    return seen


@pytest.mark.parametrize("variant", ["openface", "dl4j"])
def test_maps_at_96_pixels(variant: str) -> None:
    assert maps(NN4Small2(variant=variant), 96) == [
        (64, 48), (64, 24), (192, 24), (192, 12), (256, 12), (320, 12), (640, 6), (640, 6),
        (1024, 3), (736, 3), (736, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("variant", ["openface", "dl4j"])
@pytest.mark.parametrize("size", [65, 97, 160])
def test_maps_halve_upwards_at_any_size(variant: str, size: int) -> None:
    sides = [side for _, side in maps(NN4Small2(variant=variant), size)]
    halved = [math.ceil(size / 2**power) for power in range(1, 6)]
    assert [sides[0], sides[1], sides[3], sides[6], sides[8]] == halved


def test_l2_pool_against_a_loop() -> None:
    x = torch.randn(2, 3, 5, 6)
    pooled = l2_pool(x)
    assert pooled.shape == (2, 3, 3, 4)
    for n, c, y, z in torch.cartesian_prod(*(torch.arange(s) for s in pooled.shape)).tolist():
        total = sum(float(x[n, c, y + dy, z + dz]) ** 2 for dy in range(3) for dz in range(3))
        assert pooled[n, c, y, z].item() == pytest.approx(math.sqrt(total), abs=1e-5)
    torch.testing.assert_close(pooled, F.lp_pool2d(x, 2, 3, stride=1), atol=1e-5, rtol=1e-5)


def test_l2_pool_of_zeros_is_zero_with_a_zero_gradient() -> None:
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    l2_pool(x).sum().backward()
    assert not l2_pool(x).any()
    assert x.grad is not None
    assert not x.grad.any()


def test_l2_pool_gradient() -> None:
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    (mine,) = torch.autograd.grad(l2_pool(x).square().sum(), x)
    windows = F.unfold(torch.ones(1, 1, 4, 4), 3)
    coverage = F.fold(windows, (4, 4), 3)  # each pixel's number of windows
    torch.testing.assert_close(mine, 2 * x.detach() * coverage, atol=1e-5, rtol=1e-5)


def test_l2_pool_does_not_overflow_in_half_precision() -> None:
    pooled = l2_pool(torch.full((1, 1, 3, 3), 300.0, dtype=torch.float16))
    assert pooled.dtype == torch.float16
    assert pooled.item() == 900


def test_the_variants_pad_the_l2_pool_before_or_after_the_projection() -> None:
    x = torch.rand(1, 8, 6, 6) + 1
    openface = L2PoolProjection(8, 4, "openface").eval()
    dl4j = L2PoolProjection(8, 4, "dl4j").eval()
    dl4j.load_state_dict(openface.state_dict())
    with torch.no_grad():
        framed, padded = openface(x), dl4j(x)
    assert framed.shape == padded.shape == (1, 4, 6, 6)
    assert not framed[:, :, [0, -1]].any()
    assert not framed[:, :, :, [0, -1]].any()
    torch.testing.assert_close(framed[:, :, 1:-1, 1:-1], padded[:, :, 1:-1, 1:-1])
    assert padded[:, :, 0].any()


def lrn(x: Tensor, alpha: float) -> Tensor:
    """k + alpha x sum of squares over five channels, to the power 0.75, by loops."""
    out = torch.empty_like(x)
    for channel in range(x.shape[1]):
        near = x[:, max(0, channel - 2) : channel + 3]
        out[:, channel] = x[:, channel] / (1 + alpha * near.square().sum(dim=1)) ** 0.75
    return out


def test_lrn_divides_alpha_by_the_window_for_openface_only() -> None:
    x = torch.rand(2, 7, 3, 3) * 100
    torch.testing.assert_close(NN4Small2(8).norm1(x), lrn(x, 1e-4 / 5), atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(NN4Small2(8, variant="dl4j").norm2(x), lrn(x, 1e-4), atol=1e-4, rtol=1e-5)


def test_lrn_of_pytorch_averages_over_the_window_with_its_zero_padding() -> None:
    out = nn.LocalResponseNorm(5, alpha=1.0, beta=1.0, k=0.0)(torch.full((1, 5, 1, 1), 2.0)).flatten()
    torch.testing.assert_close(out, torch.tensor([0.83333, 0.625, 0.5, 0.625, 0.83333]), atol=1e-4, rtol=0)


def test_it_trains_in_bfloat16_with_finite_gradients() -> None:
    network = NN4Small2(16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = network(torch.randn(4, 3, 96, 96)).float().square().mean()
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_dl4j_starts_the_biases_of_the_helper_blocks_higher() -> None:
    for variant, raised in (("openface", 0.0), ("dl4j", 0.2)):
        network = NN4Small2(8, variant=variant)
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                expected = raised if name.startswith(HELPER_BLOCKS) else 0.0
                assert torch.equal(module.bias, torch.full_like(module.bias, expected)), name


def test_published_sizes_and_raw_variants() -> None:
    assert (NN4Small2.published_image_size, NN4Small2.published_embedding_size) == (96, 128)
    assert NN4Small2.raw_variants == ()

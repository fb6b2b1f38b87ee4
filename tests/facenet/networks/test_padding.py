import pytest
import torch

from facenet.networks.padding import SameMaxPool, pad_same


@pytest.mark.parametrize(
    ("side", "kernel", "before", "after"), [(96, 7, 2, 3), (48, 3, 0, 1), (55, 3, 1, 1), (110, 3, 0, 1)]
)
def test_surplus_padding_goes_right_and_below(side: int, kernel: int, before: int, after: int) -> None:
    padded = pad_same(torch.ones(1, 1, side, side), kernel, 2)
    assert padded.shape[-2:] == (before + side + after,) * 2
    line = padded[0, 0, before]
    assert (line == 0).nonzero()[:, 0].tolist() == [
        *range(before),
        *range(before + side, before + side + after),
    ]


@pytest.mark.parametrize("side", [4, 5, 8, 9])
@pytest.mark.parametrize("stride", [1, 2])
def test_max_pool_against_a_loop(side: int, stride: int) -> None:
    x = torch.rand(2, 3, side, side)
    pooled = SameMaxPool(stride)(x)
    out = -(-side // stride)
    assert pooled.shape == (2, 3, out, out)
    first = -(max((out - 1) * stride + 3 - side, 0) // 2)
    for row in range(out):
        for column in range(out):
            top, left = first + row * stride, first + column * stride
            window = x[:, :, max(top, 0) : top + 3, max(left, 0) : left + 3]
            assert torch.equal(pooled[:, :, row, column], window.amax(dim=(2, 3)))

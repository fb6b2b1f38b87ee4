import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from facenet.detection.networks import ONet, PNet, RNet, max_pool


@pytest.mark.parametrize(("network", "count"), [(PNet, 6_632), (RNet, 100_178), (ONet, 389_040)])
def test_parameter_counts(network: type[nn.Module], count: int) -> None:
    assert sum(p.numel() for p in network().parameters()) == count


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("shape", [(3, 3), (4, 7), (10, 22), (23, 8)])
def test_max_pool_rounds_sizes_up(kernel: int, shape: tuple[int, int]) -> None:
    x = torch.randn(2, 5, *shape).contiguous(memory_format=torch.channels_last)
    assert torch.equal(max_pool(x, kernel), F.max_pool2d(x, kernel, 2, ceil_mode=True))


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"), [(12, 12, 1, 1), (13, 14, 2, 2), (40, 61, 15, 26)]
)
def test_pnet_has_a_window_at_every_other_pixel(height: int, width: int, rows: int, columns: int) -> None:
    scores, offsets = PNet()(torch.randn(2, 3, height, width))
    assert scores.shape == (2, rows, columns)
    assert offsets.shape == (2, 4, rows, columns)


def test_a_mask_hides_a_line_from_pooling() -> None:
    torch.manual_seed(0)
    network, x = PNet(), torch.randn(1, 3, 13, 30)
    alone, _ = network(
        x[..., :13]
    )  # first layer: 11 columns, so the last window of the pool sees one of them
    mask = torch.zeros(11, 28)
    mask[:, 11] = -torch.inf
    torch.testing.assert_close(network(x, mask)[0][..., :2], alone)
    assert not torch.allclose(network(x)[0][..., :2], alone)


def test_dense_layers_read_width_before_height() -> None:
    torch.manual_seed(0)
    network = RNet()
    x = torch.randn(1, 3, 24, 24)
    maps = network.prelu3(
        network.conv3(
            max_pool(network.prelu2(network.conv2(max_pool(network.prelu1(network.conv1(x)), 3))), 3)
        )
    )
    flat = np.array(
        [maps[0, c, h, w].item() for w in range(3) for h in range(3) for c in range(64)], np.float32
    )
    hidden = network.prelu4(network.dense4(torch.from_numpy(flat)[None]))
    torch.testing.assert_close(network(x)[1], network.box(hidden))


def test_onet_returns_a_result_for_every_crop() -> None:
    scores, offsets, landmarks = ONet()(torch.randn(3, 3, 48, 48))
    assert (scores.shape, offsets.shape, landmarks.shape) == ((3,), (3, 4), (3, 10))
    assert ((scores > 0) & (scores < 1)).all()

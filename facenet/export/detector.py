"""P-Net, R-Net and O-Net as graphs from pixels to probabilities, offsets and landmarks.

Pixels are float32 RGB from 0 to 255, because the pyramid's levels and the crops are means of source pixels.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.detection.networks import ONet, PNet, RNet, flatten
from facenet.export.graph import Axes, Graph

INPUT = "pixels"
BATCH: Axes = {0: "batch"}


def _standardised(pixels: Tensor) -> Tensor:
    return (pixels.permute(0, 3, 1, 2) - 127.5) * (1 / 128)


def _pool(x: Tensor, kernel: int) -> Tensor:
    return F.max_pool2d(x, kernel, 2, ceil_mode=True)


class PNetModule(nn.Module):
    """`PNet` from pixels, without the zero channels and the mask, which exist for speed and for canvases."""

    def __init__(self, network: PNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return face probabilities (N, h, w) and offsets (N, 4, h, w)."""
        net = self.network
        x = _pool(net.prelu1(net.conv1(_standardised(pixels))), 2)
        x = net.prelu3(net.conv3(net.prelu2(net.conv2(x))))
        return net.score(x).softmax(1)[:, 1], net.box(x)


class RNetModule(nn.Module):
    """`RNet` from pixels, with pooling of the same result that the exporter can trace."""

    def __init__(self, network: RNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return face probabilities (N,) and offsets (N, 4)."""
        net = self.network
        x = _pool(net.prelu1(net.conv1(_standardised(pixels))), 3)
        x = _pool(net.prelu2(net.conv2(x)), 3)
        x = net.prelu4(net.dense4(flatten(net.prelu3(net.conv3(x)))))
        return net.score(x).softmax(1)[:, 1], net.box(x)


class ONetModule(nn.Module):
    """`ONet` likewise."""

    def __init__(self, network: ONet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return face probabilities (N,), offsets (N, 4) and landmarks (N, 5, 2), fractions of the box."""
        net = self.network
        x = _pool(net.prelu1(net.conv1(_standardised(pixels))), 3)
        x = _pool(net.prelu2(net.conv2(x)), 3)
        x = _pool(net.prelu3(net.conv3(x)), 2)
        x = net.prelu5(net.dense5(flatten(net.prelu4(net.conv4(x)))))
        points = net.landmarks(x).reshape(-1, 2, 5).permute(0, 2, 1)
        return net.score(x).softmax(1)[:, 1], net.box(x), points


def detector_graphs(weights: dict[str, Tensor]) -> dict[str, Graph]:
    """Return the graphs `pnet`, `rnet` and `onet` of the weights that `load_mtcnn_weights` returns.

    Each maps `pixels` float32 (batch, height, width, 3) to `probabilities` and `offsets`, O-Net also to
    `landmarks`. Height and width are 24 for R-Net, 48 for O-Net, and at least 12 for P-Net.
    """
    pnet, rnet, onet = PNet(), RNet(), ONet()
    for name, network in (("pnet", pnet), ("rnet", rnet), ("onet", onet)):
        network.load_state_dict(_of(name, weights))
    crops: dict[str, Axes] = {"probabilities": BATCH, "offsets": BATCH}
    windows: dict[str, Axes] = {
        "probabilities": {**BATCH, 1: "rows", 2: "columns"},
        "offsets": {**BATCH, 2: "rows", 3: "columns"},
    }
    sizes: Axes = {**BATCH, 1: "height", 2: "width"}
    return {
        "pnet": _graph("pnet", PNetModule(pnet), (40, 42), (33, 46), sizes, windows),
        "rnet": _graph("rnet", RNetModule(rnet), (24, 24), (24, 24), BATCH, crops),
        "onet": _graph("onet", ONetModule(onet), (48, 48), (48, 48), BATCH, {**crops, "landmarks": BATCH}),
    }


def _graph(
    name: str,
    module: nn.Module,
    traced: tuple[int, int],
    tried: tuple[int, int],
    axes: Axes,
    outputs: Mapping[str, Axes],
) -> Graph:
    """Return the graph of one network, traced and tried with images of these heights and widths."""
    random = torch.Generator().manual_seed(0)
    return Graph(
        name=name,
        module=module.requires_grad_(requires_grad=False).eval(),
        example=torch.rand((2, *traced, 3), generator=random) * 255,
        trial=torch.rand((3, *tried, 3), generator=random) * 255,
        input=INPUT,
        axes=axes,
        outputs=outputs,
    )


def _of(name: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}

"""Average pooling as torch computes it; onnxscript's own translation ignores the divisor."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.errors import ExportFailed
from facenet.export.graph import Graph
from facenet.export.onnx_file import onnx_model
from facenet.export.parity import check_parity

POOLS = (
    {"kernel_size": 3, "stride": 1, "divisor_override": 1},
    {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 1), "divisor_override": 5},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    {"kernel_size": 2},
)


class Pools(nn.Module):
    def __init__(self, *pools: dict) -> None:
        super().__init__()
        self.pools = pools

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([F.avg_pool2d(x, **pool).flatten(1) for pool in self.pools], 1)


def graph(*pools: dict) -> Graph:
    return Graph(
        name="pools",
        module=Pools(*pools),
        example=torch.rand(2, 2, 9, 10),
        trial=torch.rand(3, 2, 9, 10),
        input="x",
        axes={0: "batch"},
        outputs={"y": {0: "batch"}},
    )


def test_average_pools_are_exported_as_torch_computes_them() -> None:
    pools = graph(*POOLS)
    check_parity(onnx_model(pools), pools)


def test_a_pool_that_onnx_lacks_is_refused() -> None:
    with pytest.raises(ExportFailed, match="pools cannot be exported"):
        onnx_model(graph({"kernel_size": 3, "stride": 2, "ceil_mode": True, "divisor_override": 2}))

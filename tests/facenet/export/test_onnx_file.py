import hashlib
import logging
import warnings
from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from facenet.errors import ExportFailed
from facenet.export.graph import Graph
from facenet.export.onnx_file import OPSET, write_onnx


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images).relu()


class Drifting(Plain):
    """Computes something else when it is exported, as an exporter with a fault does."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) + int(torch.compiler.is_exporting())


def graph(module: nn.Module) -> Graph:
    return Graph(
        name=type(module).__name__,
        module=module.eval(),
        example=torch.rand(2, 3, 8, 9),
        trial=torch.rand(3, 3, 10, 7),
        input="images",
        axes={0: "batch", 2: "height", 3: "width"},
        outputs={"maps": {0: "batch", 2: "rows", 3: "columns"}},
    )


def shape(value: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_files_are_valid_described_and_the_same_every_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    plain, paths = graph(Plain()), [tmp_path / "new" / "a.onnx", tmp_path / "b.onnx"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in paths:
            write_onnx(plain, path, {"zoom": "1", "about": '"text"'})
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert first == second
    model = onnx.load(paths[0])
    onnx.checker.check_model(model, full_check=True)
    assert [(prop.key, prop.value) for prop in model.metadata_props] == [("about", '"text"'), ("zoom", "1")]
    assert [(value.name, shape(value)) for value in model.graph.input] == [
        ("images", ["batch", 3, "height", "width"])
    ]
    assert [(value.name, shape(value)) for value in model.graph.output] == [
        ("maps", ["batch", 4, "rows", "columns"])
    ]
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]
    assert str(Path(__file__).parent).encode() not in paths[0].read_bytes()
    assert b"stack_trace" not in paths[0].read_bytes()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert capfd.readouterr() == ("", "")


def test_a_graph_that_differs_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"older")
    with pytest.raises(ExportFailed, match="Drifting"):
        write_onnx(graph(Drifting()), path, {})
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]

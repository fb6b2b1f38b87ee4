"""Write a network as an ONNX file, checked against torch, with the same bytes every time."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from facenet.atomic import atomic_path
from facenet.errors import ExportFailed
from facenet.export.graph import Axes, Graph
from facenet.export.packages import required
from facenet.export.parity import check_parity
from facenet.export.translations import translations

OPSET = 18  # the oldest that the exporter writes without conversion, for the sake of older runtimes

_exporting = Lock()  # the exporter changes global state


def write_onnx(graph: Graph, path: Path, metadata: Mapping[str, str]) -> None:
    """Export a network to `path` atomically, after ONNX Runtime has agreed with torch.

    The bytes depend on the network, the metadata and the versions of torch and onnxscript alone.

    Raises:
        PackageMissing: a package of the extra `export` is not installed.
        ExportFailed: the exported graph does not compute what the network does; nothing is written.
        StorageFailed: the file cannot be written.
    """
    onnx = required("onnx")
    model = onnx_model(graph)
    check_parity(model, graph)
    _strip(model)
    onnx.helper.set_model_props(model, dict(sorted(metadata.items())))
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
        onnx.checker.check_model(str(temporary), full_check=True)


def onnx_model(graph: Graph) -> Any:
    """Return the network as an onnx.ModelProto that still has the exporter's metadata.

    Raises:
        PackageMissing: a package of the extra `export` is not installed.
        ExportFailed: the exporter does not support an operator.
    """
    required("onnx")
    axes = {axis: torch.export.Dim(name) for axis, name in graph.axes.items()}
    try:
        with _exporting, _quiet():
            program = torch.onnx.export(
                graph.module,
                (graph.example,),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[graph.input],
                output_names=list(graph.outputs),
                dynamic_shapes=(axes,),
                custom_translation_table=translations(),
            )
    except torch.onnx.OnnxExporterError as error:
        raise ExportFailed(
            f"{graph.name} cannot be exported with torch {torch.__version__}: {error}"
        ) from error
    assert program is not None
    model: Any = program.model_proto
    (pixels,) = model.graph.input
    _name_axes(pixels, graph.axes)
    for value in model.graph.output:
        _name_axes(value, graph.outputs[value.name])
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what concerns torch's authors alone: a missing torchvision, deprecations inside torch."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _name_axes(value: Any, axes: Axes) -> None:
    """Name axes of an input or output; the exporter's names are formulas of the input's."""
    for axis, name in axes.items():
        value.type.tensor_type.shape.dim[axis].dim_param = name


def _strip(model: Any) -> None:
    """Remove stack traces, which contain paths of this machine, and shapes inside the graph."""
    del model.graph.value_info[:]
    for item in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        del item.metadata_props[:]
        item.doc_string = ""
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
        tensor.doc_string = ""

"""Translations to ONNX for operators that the exporter gets wrong."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from facenet.errors import ExportFailed
from facenet.export.packages import required


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return the translations by torch operator, for `torch.onnx.export`.

    Raises:
        PackageMissing: onnxscript is not installed.
    """
    opset = required("onnxscript").opset18

    def avg_pool2d(
        images: Any,
        kernel_size: Sequence[int],
        stride: Sequence[int] = (),
        padding: Sequence[int] = (0, 0),
        ceil_mode: bool = False,  # torch's signature
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        """Translate average pooling; onnxscript 0.7 ignores the divisor, as NN4's L2 pool uses it."""
        kernel, pads = _pair(kernel_size), _pair(padding) * 2
        if divisor_override and ceil_mode:
            raise ExportFailed("ONNX has no average pool with both a divisor and sizes rounded up.")
        whole = count_include_pad or divisor_override is not None
        means = opset.AveragePool(
            images,
            kernel_shape=kernel,
            strides=_pair(stride) if stride else kernel,
            pads=pads,
            ceil_mode=int(ceil_mode),
            count_include_pad=int(whole),
        )
        if divisor_override is None:
            return means
        factor = kernel[0] * kernel[1] / divisor_override
        return opset.Mul(means, opset.CastLike(opset.Constant(value_float=factor), means))

    return {torch.ops.aten.avg_pool2d.default: avg_pool2d}


def _pair(values: Sequence[int]) -> list[int]:
    values = list(values)
    return values * 2 if len(values) == 1 else values

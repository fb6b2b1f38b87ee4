"""Run the three networks: by OpenVINO on a CPU where it is installed, by torch otherwise.

A network always sees chunks of one shape, filled up with zeros: kernels, and with them the last bits of a
result, are chosen by shape. What a runtime says of a crop therefore depends on the crop alone. Two runtimes
differ in the last bits, so the one that found faces belongs into the key of what was found.
"""

import logging
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from facenet.detection.integral import CHANNELS, Floats
from facenet.detection.networks import ONet, PNet, RNet

RuntimeName = Literal["openvino", "torch"]

# Crops per call of R-Net and O-Net. On a CPU the largest layer, 1 MB, then stays in the second-level cache.
CPU_CHUNKS, ACCELERATOR_CHUNKS = (16, 4), (1024, 256)
_log = logging.getLogger(__name__)


class Runtime(NamedTuple):
    """The networks, made ready. Pixels are 0 to 255, of four channels, the last of which has no meaning.

    chunks: crops that R-Net and O-Net are shown at a time.
    propose: maps pixels (H, W, 4) and `Canvas.mask` to (5, h, w): probability and four offsets of each of
        P-Net's windows.
    refine: maps crops (n, 24, 24, 4) to R-Net's probabilities and four offsets (n, 5).
    decide: maps crops (n, 48, 48, 4) to O-Net's probabilities, four offsets and ten landmarks (n, 15).
    """

    chunks: tuple[int, int]
    propose: Callable[[Floats, Floats], Floats]
    refine: Callable[[Floats], Floats]
    decide: Callable[[Floats], Floats]


def choose_runtime(device: torch.device) -> RuntimeName:
    """Return the fastest runtime that works here for the device."""
    return "openvino" if device.type == "cpu" and not _fault_of_openvino() else "torch"


def runtime_version(device: str | torch.device) -> str:
    """Return name and version of the runtime that `choose_runtime` takes."""
    name = choose_runtime(torch.device(device))
    return f"{name} {version(name)}"


def make_runtime(name: RuntimeName, pnet: PNet, rnet: RNet, onet: ONet, device: torch.device) -> Runtime:
    """Return the networks made ready. OpenVINO takes as many threads as torch has now."""
    if name == "openvino":
        from facenet.detection.openvino_runtime import openvino_runtime  # not to be had on every machine

        return openvino_runtime(pnet, rnet, onet, threads=torch.get_num_threads())
    if device.type == "cpu" and (fault := _fault_of_openvino()):
        _log.warning("Torch searches for faces, at half the speed: %s. Run `pip install openvino`.", fault)
    return torch_runtime(pnet, rnet, onet, device)


@cache
def _fault_of_openvino() -> str:
    """Return why OpenVINO cannot be imported, or nothing."""
    try:
        import_module("facenet.detection.openvino_runtime")
    except ImportError as error:
        return str(error)
    return ""


def torch_runtime(pnet: PNet, rnet: RNet, onet: ONet, device: torch.device) -> Runtime:
    """Return the networks on any device of torch."""
    chunks = CPU_CHUNKS if device.type == "cpu" else ACCELERATOR_CHUNKS

    @torch.inference_mode()
    def propose(pixels: Floats, mask: Floats) -> Floats:
        scores, offsets = pnet(standardised(pixels[None], device), torch.from_numpy(mask).to(device))
        return _array(torch.cat([scores, offsets[0]]))

    @torch.inference_mode()
    def read(network: nn.Module, size: int, crops: Floats) -> Floats:
        outputs = (network(standardised(chunk, device)) for chunk in whole_chunks(crops, size))
        return np.concatenate([_array(torch.cat([s[:, None], *o], 1)) for s, *o in outputs])[: len(crops)]

    return Runtime(
        chunks,
        propose,
        refine=lambda crops: read(rnet, chunks[0], crops),
        decide=lambda crops: read(onet, chunks[1], crops),
    )


def whole_chunks(crops: Floats, size: int) -> Iterator[Floats]:
    """Yield crops (n, ...) `size` at a time, contiguous, the last ones filled up with zeros."""
    for start in range(0, len(crops), size):
        chunk = np.ascontiguousarray(crops[start : start + size])
        missing = size - len(chunk)
        if missing:
            chunk = np.concatenate([chunk, np.zeros((missing, *chunk.shape[1:]), np.float32)])
        yield chunk


def standardised(pixels: Floats, device: torch.device) -> Tensor:
    """Return float32 (N, 3, H, W), channels last, (x - 127.5) / 128, for pixels (N, H, W, 4) of 0 to 255."""
    values = (pixels[..., : CHANNELS - 1] - np.float32(127.5)) * np.float32(1 / 128)
    return torch.from_numpy(values).permute(0, 3, 1, 2).to(device)


def _array(values: Tensor) -> Floats:
    array: Floats = values.cpu().numpy()
    return array

"""The trained MTCNN weights, read as data from the installed `mtcnn` package.

Importing that package would import tensorflow, so its files are located by path. They are joblib pickles,
which can run code when loaded, so a file is loaded only if its sha256 is the expected one.
"""

import hashlib
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from facenet.atomic import atomic_path
from facenet.errors import WeightsInvalid

SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
# Layers in file order: each a weight and a bias, or the slopes of a PReLU.
LAYERS = {
    "pnet": ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "box", "score"),
    "rnet": ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "dense4", "prelu4", "box", "score"),
    "onet": (
        *("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "conv4", "prelu4"),
        *("dense5", "prelu5", "box", "landmarks", "score"),
    ),
}


def load_mtcnn_weights(folder: Path | None = None) -> dict[str, Tensor]:
    """Return the float32 tensors of all three networks, named pnet.*, rnet.*, onet.* as in `networks`.

    folder: contains pnet.lz4, rnet.lz4 and onet.lz4; defaults to the one of the installed mtcnn package.

    Raises:
        WeightsInvalid: the package or a file is missing, or a file has the wrong digest.
    """
    folder = folder or _package_folder()
    return {name: tensor for network in LAYERS for name, tensor in _tensors(network, folder)}


def save_mtcnn_weights(path: Path) -> None:
    """Write the tensors of `load_mtcnn_weights` to a safetensors file, atomically."""
    with atomic_path(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in load_mtcnn_weights().items()}, temporary)


def read_mtcnn_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file that `save_mtcnn_weights` has written.

    Raises:
        WeightsInvalid: the file is missing or damaged.
    """
    try:
        weights: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsInvalid(
            f"{path} is not a valid detector file: {error}. Use the folder `artifacts` of a registered "
            "model, or write the file with facenet.detection.save_mtcnn_weights."
        ) from error
    return weights


def _package_folder() -> Path:
    spec = importlib.util.find_spec("mtcnn")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsInvalid("The package mtcnn is not installed. Run `pip install mtcnn==1.0.0`.")
    return Path(spec.submodule_search_locations[0]) / "assets" / "weights"


def _tensors(network: str, folder: Path) -> Iterator[tuple[str, Tensor]]:
    arrays = iter(_checked(folder / f"{network}.lz4", SHA256[network]))
    for layer in LAYERS[network]:
        yield f"{network}.{layer}.weight", _torch_layout(next(arrays), prelu=layer.startswith("prelu"))
        if not layer.startswith("prelu"):
            yield f"{network}.{layer}.bias", torch.from_numpy(next(arrays))


def _checked(path: Path, sha256: str) -> list[np.ndarray]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsInvalid(f"{path}: {error}. Run `pip install --force-reinstall mtcnn==1.0.0`.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsInvalid(
            f"{path} has sha256 {found}, expected {sha256}. Run `pip install --force-reinstall mtcnn==1.0.0`."
        )
    arrays: list[np.ndarray] = joblib.load(io.BytesIO(content))
    return arrays


def _torch_layout(weight: np.ndarray, *, prelu: bool) -> Tensor:
    """Move the output axis of a convolution (H, W, in, out) or dense layer first; flatten PReLU slopes."""
    if prelu:
        return torch.from_numpy(weight.reshape(-1))
    order = (3, 2, 0, 1) if weight.ndim == 4 else (1, 0)
    return torch.from_numpy(np.ascontiguousarray(weight.transpose(order)))

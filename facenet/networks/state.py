"""Load weight files into networks, strictly, with a readable list of mismatches."""

import logging
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from facenet.errors import WeightsInvalid
from facenet.networks.dlib_weights import read_dlib_weights

PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and torch.compile
WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which checkpoints keep the weights
HEADS = ("logits.", "classifier.", "head.")  # classifiers that follow the embedding
BOTTLENECK = "last_linear.weight"  # (embedding_size, features) in every network here
DLIB = ".dat"  # suffix of networks that dlib wrote
SHOWN = 5  # lines per kind of mismatch

logger = logging.getLogger(__name__)


def load_state(network: nn.Module, path: Path, *, drop: Sequence[str] = ()) -> None:
    """Load a safetensors or PyTorch state dict, or dlib's network, into `network`, every tensor of it.

    Half precision is cast to the network's precision. Wrapper prefixes ("module.") are removed, with a
    warning in the log. An error leaves the network unchanged.

    Args:
        network: receives the weights, on its device.
        path: a .safetensors file, a torch.save file, read with weights_only, or a .dat file of dlib.
        drop: prefixes of names to skip, e.g. HEADS, the classifier after the embedding.

    Raises:
        WeightsInvalid: the file is missing, unreadable, not finite or does not match; the message lists why.
    """
    state = _strip_prefixes(read_state(path), path)
    state = {name: value for name, value in state.items() if not name.startswith(tuple(drop))}
    state = {name: value.reshape(()) if _is_counter(name, value) else value for name, value in state.items()}
    mismatches = compare(network.state_dict(), state)
    if mismatches:
        raise WeightsInvalid(
            "\n".join([f"{path} does not match {_describe(network)}:", *mismatches, *_fixes(network, state)])
        )
    _check_finite(state, path)
    network.load_state_dict(state, strict=True)


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors, PyTorch or dlib file by name, on the CPU, unchanged.

    Raises:
        WeightsInvalid: the file is missing, is not a state dict, or would run code when unpickled.
    """
    if not path.is_file():
        raise WeightsInvalid(f"There are no weights at {path}. Check train.init and FACENET_MIRRORS.")
    if path.suffix == DLIB:
        return read_dlib_weights(path)
    try:
        content = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsInvalid(
            f"{path} is not a readable state dict: {reason}. "
            "Use a .safetensors file or one written by torch.save(model.state_dict(), path)."
        ) from error
    return _unwrap(content, path)


def compare(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Return lines listing names that are missing, unexpected or of a different shape; empty if all match."""
    shapes = [
        f"{name} is {tuple(found[name].shape)}, the network has {tuple(expected[name].shape)}"
        for name in expected
        if name in found and found[name].shape != expected[name].shape
    ]
    return [
        *_listing("missing", [name for name in expected if name not in found]),
        *_listing("unexpected", [name for name in found if name not in expected]),
        *_listing("with a different shape", shapes),
    ]


def _listing(kind: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    rest = [f"    ... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return [f"  {len(lines)} {kind}:", *(f"    {line}" for line in lines[:SHOWN]), *rest]


def _unwrap(content: object, path: Path) -> dict[str, Tensor]:
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise WeightsInvalid(
            f"{path} holds {type(content).__name__}, not a state dict. Save model.state_dict()."
        )
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if others:
        raise WeightsInvalid(
            f"{path} holds values that are not tensors: {', '.join(others[:SHOWN])}. Save model.state_dict()."
        )
    return {str(name): value for name, value in content.items()}


def _strip_prefixes(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    for prefix in (p for _ in PREFIXES for p in PREFIXES):  # twice: a compiled network may itself be wrapped
        if all(name.startswith(prefix) for name in state):
            logger.warning("%s: removed the prefix %r from every name", path, prefix)
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _is_counter(name: str, value: Tensor) -> bool:
    """Return whether this is a batch counter saved by old PyTorch as one element instead of a scalar."""
    return name.endswith("num_batches_tracked") and value.shape == (1,)


def _check_finite(state: Mapping[str, Tensor], path: Path) -> None:
    broken = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise WeightsInvalid(
            "\n".join(
                [f"{path} contains values that are not finite:", *_listing("with NaN or infinity", broken)]
            )
        )


def _describe(network: nn.Module) -> str:
    size = getattr(network, "embedding_size", None)
    return type(network).__name__ + (f" with embedding_size {size}" if size else "")


def _fixes(network: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    expected = network.state_dict()
    bottleneck, own = state.get(BOTTLENECK), expected.get(BOTTLENECK)
    heads = sorted({name.split(".")[0] + "." for name in state if name.startswith(HEADS)})
    if any(name not in state for name in expected) or bottleneck is None or own is None:
        return ["Set train.network to the network that these weights were trained with."]
    fixes = []
    if bottleneck.shape != own.shape:
        fixes.append(f"Set train.embedding_size to {bottleneck.shape[0]}.")
    if heads:
        fixes.append(f"Skip the classifier: load_state(..., drop={tuple(heads)}).")
    return fixes or ["The file holds another variant of this network: see the differences above."]

"""Weights from files into networks: all of them fit, or a readable list of what does not."""

import logging
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from facenet.errors import WeightsInvalid

PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and torch.compile
WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which checkpoints keep the weights
HEADS = ("logits.", "classifier.", "head.")  # classifiers that follow the embedding
BOTTLENECK = "last_linear.weight"  # (embedding_size, features) in every network here
SHOWN = 5  # lines per kind of misfit

logger = logging.getLogger(__name__)


def load_state(network: nn.Module, path: Path, *, drop: Sequence[str] = ()) -> None:
    """Load a safetensors or PyTorch state dict into `network`, every tensor of it.

    Half precision is cast to the precision of the network. Prefixes of wrappers ("module.") are removed,
    and the log says so. Nothing is changed when an error is raised.

    Args:
        network: takes the weights, on its device.
        path: a .safetensors file, or one of torch.save, which is read with weights_only.
        drop: prefixes of names to leave out, as HEADS: the classifier that follows the embedding.

    Raises:
        WeightsInvalid: the file is missing, unreadable, not finite or does not fit; the message lists how.
    """
    state = _strip_prefixes(read_state(path), path)
    state = {name: value for name, value in state.items() if not name.startswith(tuple(drop))}
    state = {name: value.reshape(()) if _is_counter(name, value) else value for name, value in state.items()}
    misfits = compare(network.state_dict(), state)
    if misfits:
        raise WeightsInvalid(
            "\n".join([f"{path} does not fit {_describe(network)}:", *misfits, *_cures(network, state)])
        )
    _check_finite(state, path)
    network.load_state_dict(state, strict=True)


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors or PyTorch file by name, on the CPU, unchanged.

    Raises:
        WeightsInvalid: there is no such file, or it holds no state dict, or unpickling it would run code.
    """
    if not path.is_file():
        raise WeightsInvalid(f"There are no weights at {path}. Check train.init and FACENET_MIRRORS.")
    try:
        content = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsInvalid(
            f"{path} is no readable state dict: {reason}. "
            "Give a .safetensors file, or one of torch.save(model.state_dict())."
        ) from error
    return _unwrap(content, path)


def compare(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Return lines that say which names are missing, unexpected or of another shape; none if all fits."""
    shapes = [
        f"{name} is {tuple(found[name].shape)}, the network has {tuple(expected[name].shape)}"
        for name in expected
        if name in found and found[name].shape != expected[name].shape
    ]
    return [
        *_listing("missing", [name for name in expected if name not in found]),
        *_listing("unexpected", [name for name in found if name not in expected]),
        *_listing("of another shape", shapes),
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
            f"{path} holds no state dict but {type(content).__name__}. Save model.state_dict()."
        )
    strangers = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if strangers:
        raise WeightsInvalid(
            f"{path} holds more than tensors: {', '.join(strangers[:SHOWN])}. Save model.state_dict()."
        )
    return {str(name): value for name, value in content.items()}


def _strip_prefixes(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    for prefix in (p for _ in PREFIXES for p in PREFIXES):  # twice: a compiled network may be wrapped again
        if all(name.startswith(prefix) for name in state):
            logger.warning("%s: every name starts with %r, which is left out", path, prefix)
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _is_counter(name: str, value: Tensor) -> bool:
    """Tell whether this is a batch counter that old PyTorch wrote as one element instead of a scalar."""
    return name.endswith("num_batches_tracked") and value.shape == (1,)


def _check_finite(state: Mapping[str, Tensor], path: Path) -> None:
    broken = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise WeightsInvalid("\n".join([f"{path} is not finite:", *_listing("with NaN or infinity", broken)]))


def _describe(network: nn.Module) -> str:
    size = getattr(network, "embedding_size", None)
    return type(network).__name__ + (f" with embedding_size {size}" if size else "")


def _cures(network: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    expected = network.state_dict()
    bottleneck, own = state.get(BOTTLENECK), expected.get(BOTTLENECK)
    heads = sorted({name.split(".")[0] + "." for name in state if name.startswith(HEADS)})
    if any(name not in state for name in expected) or bottleneck is None or own is None:
        return ["Choose the network that these weights were trained with: train.network."]
    cures = []
    if bottleneck.shape != own.shape:
        cures.append(f"Set train.embedding_size to {bottleneck.shape[0]}.")
    if heads:
        cures.append(f"Leave the classifier out: load_state(..., drop={tuple(heads)}).")
    return cures or ["The file holds another form of this network: see what differs above."]

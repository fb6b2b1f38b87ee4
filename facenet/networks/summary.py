"""A network's layers with their output shapes, parameters and multiply-adds."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from facenet.networks.embedding import EmbeddingNetwork


@dataclass(frozen=True)
class Layer:
    """One layer or block, for one image.

    name: dotted name in the network. kind: class name. output: shape without the batch, (C, H, W) or (E,).
    multiply_adds: of convolutions and fully connected layers; normalisation and pooling are not counted.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int


def summarise(network: EmbeddingNetwork, image_size: int, *, depth: int = 1) -> list[Layer]:
    """Return the layers of `network` in the order in which an image passes them.

    Args:
        network: on the CPU; its mode is left unchanged.
        image_size: side of the image in pixels.
        depth: levels of nesting; 1 shows whole blocks, 2 their parts, and so on.

    Raises:
        ParamsInvalid: the images are below the network's minimum size.
    """
    passed: list[tuple[str, nn.Module, tuple[int, ...]]] = []
    work = Counter[str]()
    names = {module: name for name, module in network.named_modules()}

    def note(module: nn.Module, _inputs: Any, output: Tensor) -> None:
        name = names[module]
        work[name] += _multiply_adds(module, output)
        if _is_shown(name, module, depth):
            passed.append((name, module, tuple(output.shape[1:])))

    hooks = [module.register_forward_hook(note) for module in names]
    training = network.training
    try:
        network.eval()  # one image gives batch norm no statistics
        with torch.inference_mode():
            network(torch.zeros(1, 3, image_size, image_size))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return [
        Layer(
            name,
            type(module).__name__,
            shape,
            sum(p.numel() for p in module.parameters()),
            sum(count for part, count in work.items() if f"{part}.".startswith(f"{name}.")),
        )
        for name, module, shape in passed
    ]


def _is_shown(name: str, module: nn.Module, depth: int) -> bool:
    """Return whether a module lies at level `depth`, or above it without children."""
    level = name.count(".") + 1 if name else 0
    return level == depth or (0 < level < depth and not any(True for _ in module.children()))


def _multiply_adds(module: nn.Module, output: Tensor) -> int:
    """Return the multiply-adds of a convolution or fully connected layer per image; 0 for other layers."""
    if isinstance(module, nn.Conv2d):
        return output[0].numel() * math.prod(module.kernel_size) * module.in_channels // module.groups
    return output[0].numel() * module.in_features if isinstance(module, nn.Linear) else 0

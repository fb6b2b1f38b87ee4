"""Optimisers by name, and which parameters decay."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from facenet.errors import ParamsInvalid

Group = dict[str, Any]

# Weight decay is coupled L2 (added to the gradient) everywhere but in adamw (Loshchilov and Hutter 2019).
# The fused kernels update a parameter in one pass; RMSprop has none.
OPTIMIZERS: dict[str, Callable[[list[Group], float], torch.optim.Optimizer]] = {
    "sgd": lambda groups, rate: torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, fused=True),
    "adam": lambda groups, rate: torch.optim.Adam(groups, lr=rate, fused=True),
    "adamw": lambda groups, rate: torch.optim.AdamW(groups, lr=rate, fused=True),
    "rmsprop": lambda groups, rate: torch.optim.RMSprop(groups, lr=rate, alpha=0.9, momentum=0.9),
    # TensorFlow's start, with which the published triplet models were trained.
    "adagrad": lambda groups, rate: torch.optim.Adagrad(
        groups, lr=rate, initial_accumulator_value=0.1, fused=True
    ),
}


def build_optimizer(
    name: str, modules: Iterable[nn.Module], *, rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return the optimiser `name` over all parameters of `modules` that need a gradient.

    `weight_decay` acts on weights only, not on biases, batch norm and other vectors and scalars.

    Raises:
        ParamsInvalid: the name is unknown.
    """
    if name not in OPTIMIZERS:
        raise ParamsInvalid(f"The optimiser {name!r} is unknown. Take one of {', '.join(OPTIMIZERS)}.")
    return OPTIMIZERS[name](parameter_groups(modules, weight_decay), rate)


def parameter_groups(modules: Iterable[nn.Module], weight_decay: float) -> list[Group]:
    """Return the parameters that decay and those that do not, in module order; no group is empty.

    Matrices and convolution kernels decay; biases, batch norm and PReLU slopes are vectors and do not.
    """
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]

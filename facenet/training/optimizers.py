"""Optimisers by name, and which parameters decay."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from facenet.errors import ParamsInvalid
from facenet.training.tensorflow import TensorFlowAdam, TensorFlowRMSprop

Group = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """What the optimisers can be told; each takes its part.

    rate: learning rate, until a schedule sets another.
    momentum: of sgd and rmsprop; beta1 of the Adams.
    nesterov: sgd looks ahead (needs a momentum).
    beta2: of the Adams.
    epsilon: of the Adams and of rmsprop; None takes the default of the optimiser, which for the two of
        TensorFlow is davidsandberg/facenet's: 0.1 for adam_tf, 1.0 for rmsprop_tf.
    weight_decay: L2, see `parameter_groups`.
    """

    rate: float
    momentum: float = 0.9
    nesterov: bool = True
    beta2: float = 0.999
    epsilon: float | None = None
    weight_decay: float = 0.0

    @property
    def betas(self) -> tuple[float, float]:
        """Both moments of the Adams."""
        return self.momentum, self.beta2

    def epsilon_or(self, default: float) -> float:
        """Return epsilon, or `default` if none is set."""
        return default if self.epsilon is None else self.epsilon


Factory = Callable[[list[Group], OptimizerSettings], torch.optim.Optimizer]

# Weight decay is coupled L2 (added to the gradient) everywhere but in adamw (Loshchilov and Hutter 2019).
# The fused kernels update a parameter in one pass; RMSprop has none.
OPTIMIZERS: dict[str, Factory] = {
    "sgd": lambda groups, of: torch.optim.SGD(
        groups, lr=of.rate, momentum=of.momentum, nesterov=of.nesterov and of.momentum > 0, fused=True
    ),
    "adam": lambda groups, of: torch.optim.Adam(
        groups, lr=of.rate, betas=of.betas, eps=of.epsilon_or(1e-8), fused=True
    ),
    "adam_tf": lambda groups, of: TensorFlowAdam(
        groups, lr=of.rate, betas=of.betas, eps=of.epsilon_or(0.1), fused=True
    ),
    "adamw": lambda groups, of: torch.optim.AdamW(
        groups, lr=of.rate, betas=of.betas, eps=of.epsilon_or(1e-8), fused=True
    ),
    "rmsprop": lambda groups, of: torch.optim.RMSprop(
        groups, lr=of.rate, alpha=0.9, momentum=of.momentum, eps=of.epsilon_or(1e-8)
    ),
    "rmsprop_tf": lambda groups, of: TensorFlowRMSprop(
        groups, lr=of.rate, alpha=0.9, momentum=of.momentum, eps=of.epsilon_or(1.0)
    ),
    # TensorFlow's start, with which the published triplet models were trained.
    "adagrad": lambda groups, of: torch.optim.Adagrad(
        groups, lr=of.rate, initial_accumulator_value=0.1, fused=True
    ),
}


def build_optimizer(
    name: str, modules: Iterable[nn.Module], settings: OptimizerSettings
) -> torch.optim.Optimizer:
    """Return the optimiser `name` over all parameters of `modules` that need a gradient.

    `settings.weight_decay` acts on weights only, not on biases, batch norm and other vectors and scalars.

    Raises:
        ParamsInvalid: the name is unknown, or no parameter needs a gradient.
    """
    if name not in OPTIMIZERS:
        raise ParamsInvalid(f"The optimiser {name!r} is unknown. Take one of {', '.join(OPTIMIZERS)}.")
    groups = parameter_groups(modules, settings.weight_decay)
    if not groups:
        raise ParamsInvalid(
            "Nothing is left to train: every layer is frozen. Set train.freeze_to to an earlier one."
        )
    return OPTIMIZERS[name](groups, settings)


def set_rate(optimizer: torch.optim.Optimizer, rate: float, momentum: float | None = None) -> None:
    """Set the learning rate of all groups and, unless it is None, their momentum (beta1 of the Adams)."""
    for group in optimizer.param_groups:
        group["lr"] = rate
        if momentum is not None and "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        elif momentum is not None and "momentum" in group:
            group["momentum"] = momentum


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

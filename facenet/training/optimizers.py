"""Optimisers by name, and weight decay."""

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
    """Settings of all optimisers; each reads those that apply to it.

    lr: initial learning rate; a schedule overrides it.
    momentum: of sgd and rmsprop; beta1 of the Adam variants.
    nesterov: use Nesterov momentum in sgd (requires momentum > 0).
    beta2: of the Adam variants.
    epsilon: of the Adam variants and rmsprop; None for the optimiser's default, for adam_tf and
        adamw_tf (0.1) and rmsprop_tf (1.0) that of davidsandberg/facenet.
    weight_decay: L2, see `parameter_groups`.
    """

    lr: float
    momentum: float = 0.9
    nesterov: bool = True
    beta2: float = 0.999
    epsilon: float | None = None
    weight_decay: float = 0.0

    @property
    def betas(self) -> tuple[float, float]:
        """beta1 and beta2 of the Adam variants."""
        return self.momentum, self.beta2

    def epsilon_or(self, default: float) -> float:
        """Return epsilon, or `default` if it is None."""
        return default if self.epsilon is None else self.epsilon


Factory = Callable[[list[Group], OptimizerSettings], torch.optim.Optimizer]

# Weight decay is coupled L2 (added to the gradient) except in adamw and adamw_tf (Loshchilov, Hutter 2019).
# Fused kernels update a parameter in one pass; RMSprop has none.
OPTIMIZERS: dict[str, Factory] = {
    "sgd": lambda groups, of: torch.optim.SGD(
        groups, lr=of.lr, momentum=of.momentum, nesterov=of.nesterov and of.momentum > 0, fused=True
    ),
    "adam": lambda groups, of: torch.optim.Adam(
        groups, lr=of.lr, betas=of.betas, eps=of.epsilon_or(1e-8), fused=True
    ),
    "adam_tf": lambda groups, of: TensorFlowAdam(
        groups, lr=of.lr, betas=of.betas, eps=of.epsilon_or(0.1), fused=True
    ),
    # A step of lr * weight_decay, outside Adam: Deeplearning4j's l2 before 1.0.0-beta4 is lr * weight_decay.
    "adamw_tf": lambda groups, of: TensorFlowAdam(
        groups, lr=of.lr, betas=of.betas, eps=of.epsilon_or(0.1), fused=True, decoupled=True
    ),
    "adamw": lambda groups, of: torch.optim.AdamW(
        groups, lr=of.lr, betas=of.betas, eps=of.epsilon_or(1e-8), fused=True
    ),
    "rmsprop": lambda groups, of: torch.optim.RMSprop(
        groups, lr=of.lr, alpha=0.9, momentum=of.momentum, eps=of.epsilon_or(1e-8)
    ),
    "rmsprop_tf": lambda groups, of: TensorFlowRMSprop(
        groups, lr=of.lr, alpha=0.9, momentum=of.momentum, eps=of.epsilon_or(1.0)
    ),
    # TensorFlow's initial accumulator, used to train the published triplet models.
    "adagrad": lambda groups, of: torch.optim.Adagrad(
        groups, lr=of.lr, initial_accumulator_value=0.1, fused=True
    ),
}


def build_optimizer(
    name: str, modules: Iterable[nn.Module], settings: OptimizerSettings
) -> torch.optim.Optimizer:
    """Return the optimiser `name` over all parameters of `modules` that require gradients.

    `settings.weight_decay` applies to weights only, not to biases, batch norm or other vectors and scalars.

    Raises:
        ParamsInvalid: the name is unknown, or no parameter requires gradients.
    """
    if name not in OPTIMIZERS:
        raise ParamsInvalid(f"Unknown optimiser {name!r}. Use one of {', '.join(OPTIMIZERS)}.")
    groups = parameter_groups(modules, settings.weight_decay)
    if not groups:
        raise ParamsInvalid(
            "Every layer is frozen, so there is nothing to train. Set train.freeze_to to an earlier layer."
        )
    return OPTIMIZERS[name](groups, settings)


@torch.no_grad()
def match_parameters(optimizer: torch.optim.Optimizer) -> None:
    """Give the state of every parameter its device and memory layout, which fused kernels require.

    Adagrad creates its state at once, before a network is moved or made channels_last, and a checkpoint has
    the layout that it was written with.
    """
    for group in optimizer.param_groups:
        on_device = group.get("fused") or group.get("capturable")
        for parameter in group["params"]:
            state = optimizer.state.get(parameter, {})
            for name, value in state.items():
                if not isinstance(value, torch.Tensor):
                    continue
                if value.ndim and value.shape == parameter.shape:
                    layout = torch.empty_like(parameter, dtype=value.dtype)
                    state[name] = layout.copy_(value)
                elif on_device:
                    state[name] = value.to(parameter.device)


def set_lr(optimizer: torch.optim.Optimizer, lr: float, momentum: float | None = None) -> None:
    """Set the learning rate of all groups and, unless it is None, their momentum (beta1 of Adam variants)."""
    for group in optimizer.param_groups:
        group["lr"] = lr
        if momentum is not None and "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        elif momentum is not None and "momentum" in group:
            group["momentum"] = momentum


def parameter_groups(modules: Iterable[nn.Module], weight_decay: float) -> list[Group]:
    """Return the parameters with and without weight decay, in module order; empty groups are omitted.

    Matrices and convolution kernels decay; biases, batch norm and PReLU slopes are vectors and do not.
    """
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]

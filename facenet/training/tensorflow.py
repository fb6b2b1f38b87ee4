"""Optimisers with the arithmetic of TensorFlow 1, which trained the published FaceNet models.

PyTorch's Adam and RMSprop add epsilon in another place. With the usual 1e-8 this makes no difference, but
davidsandberg/facenet uses 0.1 and 1.0, and the first steps then differ by a factor of 30.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor

Closure = Callable[[], float]


class TensorFlowAdam(torch.optim.Adam):
    """Adam as the "epsilon hat" form of Kingma and Ba 2015, section 2.

    w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon), with epsilon outside the bias
    correction. This is PyTorch's step with an epsilon of epsilon / sqrt(1 - beta2^t).

    decoupled: subtract lr * weight_decay * w instead of adding weight_decay * w to the gradient.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        fused: bool = True,
        decoupled: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, fused=fused, decoupled_weight_decay=decoupled)
        for group in self.param_groups:
            group["epsilon_hat"] = eps

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> float | None:  # type: ignore[override]  # overloads
        """Take one step and return the result of `closure`."""
        for group in self.param_groups:
            counts = [self.state[p]["step"] for p in group["params"] if p in self.state]
            step = 1 + (int(max(counts)) if counts else 0)
            group["eps"] = group["epsilon_hat"] / math.sqrt(1 - group["betas"][1] ** step)
        return cast("float | None", super().step(closure))


class TensorFlowRMSprop(torch.optim.Optimizer):
    """RMSProp with epsilon inside the root, a mean square that starts at 1, and the lr inside the momentum.

    s = alpha * s + (1 - alpha) * g^2;  b = momentum * b + lr * g / sqrt(s + eps);  w -= b.
    """

    def __init__(
        self, params: Iterable[Any], *, lr: float, alpha: float = 0.9, momentum: float = 0.9, eps: float = 1.0
    ) -> None:
        defaults = {"lr": lr, "alpha": alpha, "momentum": momentum, "eps": eps, "weight_decay": 0.0}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> float | None:  # type: ignore[override]  # overloads
        """Take one step and return the result of `closure`."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return loss

    def _move(self, parameter: Tensor, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        state = self.state[parameter]
        if not state:
            state["mean_square"] = torch.ones_like(parameter)
            state["momentum"] = torch.zeros_like(parameter)
        gradient = parameter.grad.add(parameter, alpha=group["weight_decay"])
        square, velocity = state["mean_square"], state["momentum"]
        square.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        scaled = gradient.div_(square.add(group["eps"]).sqrt_())
        velocity.mul_(group["momentum"]).add_(scaled, alpha=group["lr"])
        parameter.sub_(velocity)

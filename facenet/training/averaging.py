"""A moving average of the weights, which is evaluated and saved instead of them."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def average(network: nn.Module, decay: float) -> AveragedModel:
    """Return the exponential moving average of a network, a copy of it as it is now.

    `update_parameters(network)` moves every weight and statistic by 1 - d of the way, d being
    min(decay, (1 + n) / (10 + n)) at the n-th update, n from 0, as TensorFlow's ExponentialMovingAverage does
    with the number of updates: a short run is not held back by where it began. Counters are copied.

    Args:
        network: stays as it is; the average is `.module` of what is returned, in evaluation mode.
        decay: 0 to 1; 0.999 averages over about the last thousand steps.
    """

    def move(averages: Tensors, currents: Tensors, updates: Tensor | int) -> None:
        number = int(updates) - 1  # the model counts its first copy, which is the beginning and no update
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, currents, 1 - min(decay, (1 + number) / (10 + number)))
        else:
            torch._foreach_copy_(averages, currents)

    averaged = AveragedModel(network, multi_avg_fn=move, use_buffers=True)
    averaged.update_parameters(network)
    averaged.eval()
    return averaged

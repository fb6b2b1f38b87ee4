"""An exponential moving average of the weights, evaluated and saved in their place."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def average(network: nn.Module, decay: float) -> AveragedModel:
    """Return the exponential moving average of a network, initialised with its current weights.

    `update_parameters(network)` moves every weight and statistic towards the network by a factor of 1 - d,
    where d is min(decay, (1 + n) / (10 + n)) at the n-th update, n from 0. TensorFlow's
    ExponentialMovingAverage with num_updates does the same, so that short runs do not stay near their start.
    Counters are copied.

    Args:
        network: is not changed; the average is `.module` of the returned object, in evaluation mode.
        decay: 0 to 1; 0.999 averages over about the last thousand steps.
    """

    def move(averages: Tensors, currents: Tensors, updates: Tensor | int) -> None:
        number = int(updates) - 1  # AveragedModel counts its initial copy as an update
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, currents, 1 - min(decay, (1 + number) / (10 + number)))
        else:
            torch._foreach_copy_(averages, currents)

    averaged = AveragedModel(network, multi_avg_fn=move, use_buffers=True)
    averaged.update_parameters(network)
    averaged.eval()
    return averaged

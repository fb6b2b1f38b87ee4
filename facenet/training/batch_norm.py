"""Batch norm over the images of all processes, so that a run does not depend on their number."""

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from facenet.training.processes import Processes

# Subclasses compute something else, such as the InertBatchNorm of NN1, which has no statistics to share.
PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def share_batch_norm(module: nn.Module, processes: Processes, *, frozen: Collection[nn.Module] = ()) -> None:
    """Make every batch norm inside `module` compute its statistics over all processes; parameters are kept.

    PyTorch's SyncBatchNorm works on GPUs only; CPUs use SharedBatchNorm.

    frozen: layers to leave alone; they stay in evaluation mode, which uses no statistics of the batch, and
        whoever holds them must not be left with a module that the network no longer has.
    """
    if processes.count == 1:
        return
    for name, child in module.named_children():
        if any(child is layer for layer in frozen):
            continue
        if not isinstance(child, _BatchNorm) or type(child) not in PLAIN:
            share_batch_norm(child, processes, frozen=frozen)
        elif child.weight is not None and child.weight.is_cuda:
            convert = nn.SyncBatchNorm.convert_sync_batchnorm
            setattr(module, name, convert(child))  # type: ignore[no-untyped-call]  # torch
        else:
            setattr(module, name, SharedBatchNorm(child, processes))


class SharedBatchNorm(_BatchNorm):
    """Batch norm whose mean and variance are those of the whole batch, with gradients.

    Args:
        former: the layer whose parameters and statistics are taken over.
        processes: the processes that share a batch.
    """

    def __init__(self, former: _BatchNorm, processes: Processes) -> None:
        super().__init__(
            former.num_features, former.eps, former.momentum, former.affine, former.track_running_stats
        )
        self.weight, self.bias = former.weight, former.bias
        for name, buffer in former.named_buffers():
            setattr(self, name, buffer)
        self.train(former.training)
        self.processes = processes

    def _check_input_dim(self, batch: Tensor) -> None:
        """Accept batches of any shape (N, C, ...)."""

    def forward(self, batch: Tensor) -> Tensor:
        """Return (N, C, ...) normalised per channel; running statistics are updated as by nn.BatchNorm2d."""
        if not self.training:
            return super().forward(batch)
        values = batch.float()
        reduced = [axis for axis in range(values.ndim) if axis != 1]
        shape = [-1 if axis == 1 else 1 for axis in range(values.ndim)]
        images = values.new_full((1,), values.numel() / values.shape[1])
        sums = self.processes.sum(torch.cat([values.sum(dim=reduced), images]))
        mean, count = sums[:-1] / sums[-1], float(sums[-1].detach())
        centred = values - mean.view(shape)
        variance = self.processes.sum(centred.square().sum(dim=reduced)) / count
        self._update_statistics(mean.detach(), variance.detach() * count / max(count - 1, 1))
        output = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            output = output * self.weight.view(shape) + self.bias.view(shape)
        return output.to(batch.dtype)

    @torch.no_grad()
    def _update_statistics(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        weight = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance, weight)

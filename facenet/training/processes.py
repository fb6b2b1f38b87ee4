"""Data-parallel training with several processes, started by `accelerate launch` or torchrun.

Every process runs the network on its part of each batch. The prelogits are then gathered, and every process
computes the loss of the whole batch. So mining sees all images, buffers of a loss such as centres see all
labels and stay equal without further communication, and the loss is that of a single process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor

from facenet.errors import ParamsInvalid


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    rank: its number, from 0. count: the number of processes.
    """

    rank: int = 0
    count: int = 1

    @property
    def main(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def part(self, start: int, stop: int) -> slice:
        """Return the part of `start` to `stop` - 1 of this process; sizes of parts differ by at most one."""
        total = stop - start
        return slice(start + self.rank * total // self.count, start + (self.rank + 1) * total // self.count)

    def assemble(self, own: Tensor, part: slice, total: int) -> Tensor:
        """Gather all `total` rows, of which `own` are the `part` of this process, with gradients.

        The gradient of a row is the sum of its gradients in all processes. With several processes the rows
        are float32.
        """
        if self.count == 1:
            return own
        rows = own.new_zeros((total, *own.shape[1:]), dtype=torch.float32)
        rows[part] = own.float()  # the rest is zero, so the sum over the processes has every row
        return self.sum(rows)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over all processes, with gradients."""
        if self.count == 1:
            return values
        total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]  # torch
        return total

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether any process has set it, so that all processes agree."""
        if self.count == 1:
            return flags
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        values = torch.tensor(flags, dtype=torch.int32, device=device)
        dist.all_reduce(values, op=dist.ReduceOp.MAX)
        return tuple(bool(value) for value in values.tolist())

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Run the block in the main process first, so that only one process downloads."""
        if self.count > 1 and not self.main:
            dist.barrier()
        yield
        if self.count > 1 and self.main:
            dist.barrier()

    def leave(self) -> None:
        """Leave the process group."""
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        """Return the sum over all processes; values have any shape."""
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        """Return the gradient summed over all processes, because each of them contributes to the loss."""
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


def join(device: torch.device) -> tuple[Processes, torch.device]:
    """Join the process group of this run, if it has several processes; return it and the device to use.

    On GPUs each process of a machine uses its own GPU.

    Raises:
        ParamsInvalid: `accelerate launch` was to start several processes and started one.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        state = PartialState(cpu=device.type == "cpu")
        own = torch.device("cuda", state.local_process_index) if device.type == "cuda" else device
        return Processes(state.process_index, state.num_processes), own
    # With --num_processes it sets MASTER_PORT before it falls back to one process for lack of GPUs.
    if {"ACCELERATE_MIXED_PRECISION", "MASTER_PORT"} <= os.environ.keys() and "RANK" not in os.environ:
        raise ParamsInvalid(
            "accelerate launch was to start several processes and started only one, because there is no GPU. "
            "Run `accelerate launch --multi_gpu --num_processes N -m tasks.train`."
        )
    return Processes(), device

"""Several processes that train one network together, started by `accelerate launch` or torchrun.

Every process computes the network for its part of each batch. The prelogits are then put together, and each
process computes the loss of the whole batch: mining sees all images, centres and other buffers of a loss see
all labels and stay equal everywhere without further exchange, and the loss is that of a single process.
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

    rank: its number, from 0. count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def main(self) -> bool:
        """Whether this one writes files and reports."""
        return self.rank == 0

    def part(self, start: int, stop: int) -> slice:
        """Return which of the items `start` to `stop` - 1 are its own; parts differ by at most one item."""
        total = stop - start
        return slice(start + self.rank * total // self.count, start + (self.rank + 1) * total // self.count)

    def assemble(self, own: Tensor, part: slice, total: int) -> Tensor:
        """Return all `total` rows, of which `own` are the `part` of this process, with gradient.

        The gradient of a row is the sum of what all processes have for it. Rows of several processes are
        float32.
        """
        if self.count == 1:
            return own
        rows = own.new_zeros((total, *own.shape[1:]), dtype=torch.float32)
        rows[part] = own.float()  # the others are zero here, so that the sum over the processes has every row
        return self.sum(rows)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over all processes, with gradient."""
        if self.count == 1:
            return values
        total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]  # torch
        return total

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether some process has it set, so that all decide alike."""
        if self.count == 1:
            return flags
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        values = torch.tensor(flags, dtype=torch.int32, device=device)
        dist.all_reduce(values, op=dist.ReduceOp.MAX)
        return tuple(bool(value) for value in values.tolist())

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Let the main process through first, so that it alone downloads."""
        if self.count > 1 and not self.main:
            dist.barrier()
        yield
        if self.count > 1 and self.main:
            dist.barrier()

    def leave(self) -> None:
        """End the exchange; the process works on alone."""
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        """Return the sum over all processes of values of any shape."""
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        """Return the sum over all processes of the gradient by the sum: each of them adds to the loss."""
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


def join(device: torch.device) -> tuple[Processes, torch.device]:
    """Meet the other processes of this run, if it was started as several; return them and the device to use.

    On GPUs each process of a machine takes one of its own.

    Raises:
        ParamsInvalid: `accelerate launch` was asked for several processes and started one.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        state = PartialState(cpu=device.type == "cpu")
        own = torch.device("cuda", state.local_process_index) if device.type == "cuda" else device
        return Processes(state.process_index, state.num_processes), own
    # For several processes it sets the port before it decides that without GPUs one will do.
    if {"ACCELERATE_MIXED_PRECISION", "MASTER_PORT"} <= os.environ.keys() and "RANK" not in os.environ:
        raise ParamsInvalid(
            "accelerate launch was asked for several processes and has started one: without GPUs it wants to "
            "be told twice. Run `accelerate launch --multi_gpu --num_processes N -m tasks.train`."
        )
    return Processes(), device

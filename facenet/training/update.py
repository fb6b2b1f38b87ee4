"""One update of the weights: forward, backward, clipping, optimiser, moving average."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.optim.swa_utils import AveragedModel

from facenet.memory import keep_freed_memory
from facenet.standardisation import standardise
from facenet.training.averaging import average
from facenet.training.batch_norm import share_batch_norm
from facenet.training.compilation import compilation_explained
from facenet.training.division import Division, Piece
from facenet.training.gradients import check_normalisation, normalise_gradients
from facenet.training.health import Moment, check_finite
from facenet.training.optimizers import match_parameters
from facenet.training.processes import Processes

ACCELERATE_PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}
Metrics = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class UpdateOptions:
    """How the weights are updated.

    standardisation: of the faces, see facenet.standardisation.
    clip_norm: maximum norm of the gradient over all parameters; None for no clipping.
    gradient_normalisation: see facenet.training.gradients; done before clipping.
    ema: decay of the moving average of the weights, which becomes the model; None for no average.
    compiled: compile the network with torch.compile, which takes a minute at the start.
    frozen: layers that are not trained, see `freeze_to`.
    """

    standardisation: str = "fixed"
    clip_norm: float | None = None
    gradient_normalisation: str = "none"
    ema: float | None = None
    compiled: bool = False
    frozen: Sequence[nn.Module] = ()


class Objective(nn.Module):
    """Network and loss as one module, so that Accelerate wraps a single forward call."""

    def __init__(self, network: nn.Module, loss: nn.Module, processes: Processes, *, compiled: bool) -> None:
        super().__init__()
        self.network, self.loss = network, loss
        self._processes = processes
        # A function, not a module: names in the state dict are unchanged, and validation is not compiled.
        call: Callable[[Tensor], Tensor] = network.__call__
        self._compute = torch.compile(network.forward) if compiled else call

    def forward(
        self, images: Tensor, labels: Tensor, piece: Piece, seed: Sequence[int]
    ) -> tuple[Tensor, Any]:
        """Return the loss of a piece and its metrics.

        images: standardised (M, 3, S, S), of this process. labels: (N,) int64, of the whole piece.
        seed: of dropout, different in each process, and of draws of the loss, the same in all processes.
        """
        _seed(*seed, 1 + self._processes.rank)
        start, stop = piece.whole.start, piece.whole.stop
        part = slice(piece.own.start - start, piece.own.stop - start)
        prelogits = self._processes.assemble(self._compute(images), part, stop - start)
        _seed(*seed, 0)
        output = self.loss(prelogits, labels)
        return output.value, output.metrics


@dataclass(kw_only=True)
class Update:
    """Network, loss and optimiser, prepared for a device, a precision and a number of processes.

    network, loss: trained together; `loss(prelogits, labels)` returns `.value` and `.metrics`.
    optimizer: over the trained parameters of both.
    division: how a batch is divided.
    seed: of dropout and other draws; each step seeds the global generator with it and the step number, so a
        resumed run draws the same numbers.
    """

    network: nn.Module
    loss: nn.Module
    optimizer: torch.optim.Optimizer
    division: Division
    device: torch.device
    precision: str
    seed: int
    options: UpdateOptions = field(default_factory=UpdateOptions)

    def __post_init__(self) -> None:
        check_normalisation(self.options.gradient_normalisation)
        if self.device.index is not None:
            torch.cuda.set_device(self.device)
        if self.device.type == "cpu":
            keep_freed_memory()
        # Accelerate remembers the precision of the first run of a process and rejects any other.
        AcceleratorState._reset_state()
        self._accelerator = Accelerator(
            mixed_precision=ACCELERATE_PRECISIONS[self.precision],
            cpu=self.device.type == "cpu",
            kwargs_handlers=[
                DistributedDataParallelKwargs(broadcast_buffers=False)
            ],  # they are equal in all processes
        )
        processes = self.division.processes
        share_batch_norm(self.network.to(self.device), processes, frozen=self.options.frozen)
        objective = Objective(self.network, self.loss, processes, compiled=self.options.compiled)
        convert_conv2d_weight_memory_format(objective.to(self.device), torch.channels_last)
        self._average: AveragedModel | None = (
            average(self.network, self.options.ema) if self.options.ema is not None else None
        )
        match_parameters(self.optimizer)
        self._objective, self._prepared = self._accelerator.prepare(objective, self.optimizer)

    @property
    def model(self) -> nn.Module:
        """The module to evaluate and save: the network, or its moving average if there is one."""
        return self._average.module if self._average is not None else self.network

    def train(self) -> None:
        """Set all layers to training mode, except frozen layers."""
        self._objective.train()
        for layer in self.options.frozen:
            layer.eval()

    def __call__(self, faces: Tensor, labels: Tensor, moment: Moment) -> tuple[float, Metrics]:
        """Update the weights with one batch; return its loss and metrics.

        faces: (M, S, S, 3) uint8, of this process. labels: (N,) int64, of the whole batch.
        The metrics are those of the loss and `gradient_norm`, the norm before
        normalisation and clipping.
        The loss of a batch in pieces is the mean over its images, provided that the loss of a piece is.

        Raises:
            TrainingDiverged: loss or gradient are not finite; the weights are unchanged.
            CompilationFailed: torch.compile cannot compile the network.
        """
        self._prepared.zero_grad(set_to_none=True)
        images = standardise(faces.to(self.device, non_blocking=True), self.options.standardisation)
        labels = labels.to(self.device, non_blocking=True)
        pieces, total = self.division.pieces(len(labels)), Metrics()
        for number, piece in enumerate(pieces):
            size = piece.own.stop - piece.own.start
            own, images = images[:size], images[size:]
            weight = (piece.whole.stop - piece.whole.start) / len(labels)
            last = number == len(pieces) - 1
            with self._compilation(), nullcontext() if last else self._accelerator.no_sync(self._objective):
                metrics = self._backward(own, labels[piece.whole], piece, weight, moment, number)
            for name, value in metrics.items():
                total[name] = total.get(name, 0.0) + weight * value
        total["gradient_norm"] = self._move(moment)
        return total.pop("loss"), total

    def _backward(
        self, images: Tensor, labels: Tensor, piece: Piece, weight: float, moment: Moment, number: int
    ) -> Metrics:
        seed = (self.seed, moment.step, number)
        value, metrics = self._objective(images, labels, piece, seed)
        loss = value.item()
        check_finite(loss, "loss", moment)
        self._accelerator.backward(value * weight if weight < 1 else value)
        return {"loss": loss, **{name: float(metric) for name, metric in metrics.items()}}

    def _compilation(self) -> AbstractContextManager[None]:
        return compilation_explained() if self.options.compiled else nullcontext()

    def _move(self, moment: Moment) -> float:
        self._accelerator.unscale_gradients()
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = torch.nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None)
        reported = float(norm)
        if self._accelerator.scaler is None:  # a gradient scaler skips steps that overflow
            check_finite(reported, "gradient", moment)
        normalise_gradients(self.options.gradient_normalisation, self.network, self.loss)
        if self.options.clip_norm is not None:
            norm = torch.nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None)
            torch.nn.utils.clip_grads_with_norm_(parameters, self.options.clip_norm, norm)
        self._prepared.step()
        if self._average is not None:
            self._average.update_parameters(self.network)
        return reported

    def state(self) -> dict[str, Any]:
        """Return the state of network, loss, optimiser and average, for a checkpoint."""
        scaler = self._accelerator.scaler
        return {
            "objective": self._accelerator.unwrap_model(self._objective).state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": scaler.state_dict() if scaler else {},
            "average": self._average.state_dict() if self._average is not None else {},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a `state`."""
        self._accelerator.unwrap_model(self._objective).load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        match_parameters(self.optimizer)
        if self._accelerator.scaler:
            self._accelerator.scaler.load_state_dict(state["scaler"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])


def _seed(*numbers: int) -> None:
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))

"""A network to be exported, with the names of its input, its outputs and their axes."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

Axes = Mapping[int, str]  # names of the axes of variable length, by number


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What `write_onnx` needs to know of a network.

    name: for error messages.
    module: in evaluation mode; maps one tensor to one tensor or a tuple of them.
    example: the input to trace with. Its batch is 2: a length of 1 would be taken as fixed.
    trial: an input of other lengths along the named axes, on which ONNX Runtime must agree with torch.
    input: name of the input. axes: of the input. outputs: name of each output, with its axes.
    """

    name: str
    module: nn.Module
    example: Tensor
    trial: Tensor
    input: str
    axes: Axes
    outputs: Mapping[str, Axes]

    def __post_init__(self) -> None:
        for axis, (traced, other) in enumerate(zip(self.example.shape, self.trial.shape, strict=True)):
            if (traced != other) != (axis in self.axes):
                raise ValueError(
                    f"{self.name}: axis {axis} is {traced} in the example and {other} in the trial; they "
                    "must differ along the named axes and only there."
                )

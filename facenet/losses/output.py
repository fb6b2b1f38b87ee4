"""What every loss takes and gives."""

from dataclasses import dataclass, field

from torch import Tensor, nn


@dataclass(frozen=True)
class LossOutput:
    """A loss and the metrics to watch beside it.

    Attributes:
        value: scalar float32, to be minimised.
        metrics: by name; tensors are scalars without gradient, left on their device: nothing waits for them.
    """

    value: Tensor
    metrics: dict[str, float | Tensor] = field(default_factory=dict)


class Loss(nn.Module):
    """Base of the losses: prelogits (N, E), not normalised, and labels (N,) int64 to a LossOutput.

    A loss may have weights of its own: they belong into the optimiser and into the checkpoint.
    """

    def __call__(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of a batch, computed in float32 also under autocast."""
        output: LossOutput = super().__call__(prelogits, labels)
        return output

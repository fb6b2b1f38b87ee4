"""The interface of every loss: its settings, its input and its output."""

from dataclasses import dataclass, field
from typing import Self

from torch import Tensor, nn


@dataclass(frozen=True)
class LossOutput:
    """The value of a loss and metrics to log with it.

    Attributes:
        value: scalar float32, to be minimised.
        metrics: by name; tensors are scalars without gradient, left on their device so that nothing waits.
    """

    value: Tensor
    metrics: dict[str, float | Tensor] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """Settings of all losses; each loss reads those that apply to it.

    embedding_size: width of the prelogits.
    classes: number of training people; losses on distances ignore it.
    margin: of cosface (cosine), arcface (radians), triplet (squared distance), contrastive (distance).
    scale: of cosface and arcface.
    prelogits_norm_factor, prelogits_norm_p: of classification losses.
    center_factor: weight of a center loss added to a classification loss; 0 for none.
    center_version, center_rate: see facenet.losses.center; the latter is the learning rate of the centres.
    head_share, head_sampled_above: of classification losses, see ClassificationLoss.
    mining, triplet_reduction: of triplet.
    listed: whether triplet and contrastive read triplets or pairs from consecutive rows of a batch.
    normalised: whether triplet and contrastive scale prelogits to unit length.
    """

    embedding_size: int
    classes: int
    margin: float = 0.2
    scale: float = 32.0
    prelogits_norm_factor: float = 0.0
    prelogits_norm_p: float = 1.0
    center_factor: float = 0.0
    center_version: str = "wen"
    center_rate: float = 0.5
    head_share: float = 1.0
    head_sampled_above: int = 0
    mining: str = "semihard"
    triplet_reduction: str = "active"
    listed: bool = False
    normalised: bool = True


class Loss(nn.Module):
    """Base of the losses: unnormalised prelogits (N, E) and int64 labels (N,) to a LossOutput.

    The weights of a loss, if any, belong in the optimiser and in the checkpoint.

    Attributes:
        step_square: the squared length of the last step that the loss took itself, outside the optimiser, if
            that step belongs to the gradients of its layer (see facenet.training.gradients).
    """

    step_square: Tensor | None = None

    @classmethod
    def from_settings(cls, _settings: LossSettings, /) -> Self:
        """Return the loss; losses that read settings override this."""
        return cls()

    def __call__(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of a batch, computed in float32 even under autocast."""
        output: LossOutput = super().__call__(prelogits, labels)
        return output

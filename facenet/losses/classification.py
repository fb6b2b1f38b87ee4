"""The base of classification losses: a head over the training people, discarded after training."""

from abc import ABC, abstractmethod
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from facenet.losses.classes import check_classes
from facenet.losses.output import Loss, LossOutput, LossSettings
from facenet.losses.prelogits_norm import prelogits_norm
from facenet.losses.sampling import sample_classes


class ClassificationLoss(Loss, ABC):
    """Error of a head + factor x prelogits norm; subclasses define the scores and may redefine the error.

    In training, a head of more than `sampled_above` people scores the people of the batch and a random sample
    of the others, drawn in each step from PyTorch's global CPU generator.

    Metrics: the error, named by `error`; prelogits_norm; accuracy, 0 to 1, of the batch among the people who
    were scored.

    Args:
        embedding_size: E.
        classes: number of training people.
        norm_factor: weight of the prelogits norm.
        norm_p: order of that norm.
        share: fraction of the people not in the batch, 0 to 1, that a sampled head scores.
        sampled_above: a head of more people than this is sampled.

    Raises:
        ParamsInvalid: fewer than two classes.
    """

    error = "cross_entropy"

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        norm_factor: float = 0.0,
        norm_p: float = 1.0,
        share: float = 1.0,
        sampled_above: int = 0,
    ) -> None:
        super().__init__()
        check_classes(classes)
        self.embedding_size, self.classes = embedding_size, classes
        self.norm_factor, self.norm_p = norm_factor, norm_p
        self.share, self.sampled_above = share, sampled_above

    @classmethod
    def from_settings(cls, settings: LossSettings, /) -> Self:
        """Return the loss with a head of the given sizes."""
        return cls(settings.embedding_size, settings.classes, **cls.options(settings))

    @classmethod
    def options(cls, settings: LossSettings) -> dict[str, Any]:
        """Return the keyword arguments that `settings` give the constructor."""
        return {
            "norm_factor": settings.prelogits_norm_factor,
            "norm_p": settings.prelogits_norm_p,
            "share": settings.head_share,
            "sampled_above": settings.head_sampled_above,
        }

    @abstractmethod
    def scores(self, prelogits: Tensor, people: Tensor | None) -> Tensor:
        """Return (N, S) scores of float32 prelogits (N, E) for S people, or for all if `people` is None."""

    def cost(self, scores: Tensor, places: Tensor) -> Tensor:
        """Return the error, a scalar, of (N, S) scores whose true column is `places` (N,)."""
        return F.cross_entropy(scores, places)

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,), 0 to classes - 1."""
        with torch.autocast(prelogits.device.type, enabled=False):
            prelogits = prelogits.float()
            people, places = self._sampled(labels)
            scores = self.scores(prelogits, people)
            cost = self.cost(scores, places)
            norm = prelogits_norm(prelogits, p=self.norm_p)
            metrics: dict[str, float | Tensor] = {
                self.error: cost.detach(),
                "prelogits_norm": norm.detach(),
                "accuracy": (scores.detach().argmax(dim=1) == places).float().mean(),
            }
            return LossOutput(cost + self.norm_factor * norm, metrics)

    def predict(self, prelogits: Tensor) -> Tensor:
        """Return the (N,) people with the highest score for prelogits (N, E)."""
        with torch.autocast(prelogits.device.type, enabled=False):
            return self.scores(prelogits.float(), None).argmax(dim=1)

    def _sampled(self, labels: Tensor) -> tuple[Tensor | None, Tensor]:
        if self.training and self.share < 1 and self.classes > self.sampled_above:
            return sample_classes(labels, self.classes, share=self.share)
        return None, labels

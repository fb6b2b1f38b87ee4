"""Softmax over cosines with an additive margin (CosFace)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.losses.classification import ClassificationLoss
from facenet.losses.output import LossSettings
from facenet.networks.embedding import normalise


class CosineSoftmaxLoss(ClassificationLoss):
    """Cross-entropy of scale x (cos - margin for the true person, cos for the others).

    Source: Wang et al. 2018, arXiv 1801.09414. pytorch-metric-learning's CosFaceLoss has the same value and
    gradient, but would need a second pass over the cosines for the accuracy, which excludes the margin.

    Args:
        embedding_size: E.
        classes: number of training people.
        margin: in cosine.
        scale: of the logits.
        options: of ClassificationLoss.

    Raises:
        ParamsInvalid: fewer than two classes.
    """

    def __init__(
        self, embedding_size: int, classes: int, *, margin: float, scale: float, **options: Any
    ) -> None:
        super().__init__(embedding_size, classes, **options)
        self.weight = nn.Parameter(torch.empty(classes, embedding_size))
        nn.init.xavier_uniform_(self.weight)
        self.margin = margin
        self.scale = scale

    @classmethod
    def options(cls, settings: LossSettings) -> dict[str, Any]:
        """Return the keyword arguments that `settings` give the constructor."""
        return {**super().options(settings), "margin": settings.margin, "scale": settings.scale}

    def scores(self, prelogits: Tensor, people: Tensor | None) -> Tensor:
        """Return the cosines (N, S)."""
        weight = self.weight if people is None else self.weight[people]
        return F.linear(normalise(prelogits), normalise(weight))

    def cost(self, scores: Tensor, places: Tensor) -> Tensor:
        """Return the cross-entropy of cosines (N, S), with the margin applied to the true person's."""
        true = scores.gather(1, places[:, None])
        logits = scores.scatter(1, places[:, None], self.with_margin(true))
        return F.cross_entropy(self.scale * logits, places)

    def with_margin(self, cosines: Tensor) -> Tensor:
        """Return the true person's cosine with the margin applied."""
        return cosines - self.margin

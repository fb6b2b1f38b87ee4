"""Softmax over cosines with an additive margin on the angle (ArcFace)."""

import math

import torch
from torch import Tensor

from facenet.losses.cosface import CosineSoftmaxLoss

EPS = 1e-7  # the derivative of the arc cosine is infinite at 1 and -1


class ArcFaceLoss(CosineSoftmaxLoss):
    """Cross-entropy of scale x (cos(angle + margin) for the true person, cos for the others).

    Source: Deng et al. 2019, arXiv 1801.07698. Where angle + margin exceeds pi, cos - margin x sin(margin)
    replaces it and keeps falling, as in pytorch-metric-learning's ArcFaceLoss, which has the same value and
    gradient, but takes degrees and has no derivative where a cosine is 1.

    Args: as CosineSoftmaxLoss, with the margin in radians.
    """

    def with_margin(self, cosines: Tensor) -> Tensor:
        """Return the true person's cosine with the margin applied."""
        cosines = cosines.clamp(-1 + EPS, 1 - EPS)
        angles = cosines.acos()
        linear = cosines - self.margin * math.sin(self.margin)
        return torch.where(angles <= math.pi - self.margin, (angles + self.margin).cos(), linear)

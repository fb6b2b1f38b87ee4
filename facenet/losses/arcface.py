"""Softmax over cosines with an additive margin on the angle (ArcFace)."""

import math

import torch
from torch import Tensor

from facenet.losses.cosface import CosineSoftmaxLoss

EPS = 1e-7  # the arc cosine has no finite derivative at 1 and -1


class ArcFaceLoss(CosineSoftmaxLoss):
    """Cross-entropy of scale x (cos(angle + margin) for the true person, cos for the others).

    Source: Deng et al. 2019, arXiv 1801.07698. Where angle + margin passes half a turn, cos - margin x
    sin(margin) goes on falling in its place, as in pytorch-metric-learning's ArcFaceLoss, which has the same
    value and gradient, but asks for degrees and has no derivative where a cosine is 1.

    Args: as CosineSoftmaxLoss; margin is in radians.
    """

    def with_margin(self, cosines: Tensor) -> Tensor:
        """Return what takes the place of the true person's cosine."""
        cosines = cosines.clamp(-1 + EPS, 1 - EPS)
        angles = cosines.acos()
        beyond = cosines - self.margin * math.sin(self.margin)
        return torch.where(angles <= math.pi - self.margin, (angles + self.margin).cos(), beyond)

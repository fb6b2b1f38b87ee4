"""Softmax with squared error, the loss of Deeplearning4j's NN4.Small2 example."""

import torch.nn.functional as F
from torch import Tensor

from facenet.losses.softmax import SoftmaxLoss


class SoftmaxSquaredLoss(SoftmaxLoss):
    """Mean over images and people of (softmax - target) squared, the target being 1 for the true person.

    ND4J's LossMSE after a softmax. It exists to reproduce that example: with thousands of people its gradient
    vanishes, and cross-entropy is the better choice.
    """

    error = "squared_error"

    def cost(self, scores: Tensor, places: Tensor) -> Tensor:
        """Return the mean squared error of (N, S) scores whose true column is `places` (N,)."""
        truth = F.one_hot(places, scores.shape[1]).to(scores.dtype)
        return F.mse_loss(scores.softmax(dim=1), truth)

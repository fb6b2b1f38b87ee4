"""Softmax with the squared error, as a Deeplearning4j example trains NN4.Small2 with."""

import torch.nn.functional as F
from torch import Tensor

from facenet.losses.softmax import SoftmaxLoss


class SoftmaxSquaredLoss(SoftmaxLoss):
    """Mean over images and people of (softmax - 1 for the true person, - 0 for the others) squared.

    ND4J's LossMSE behind a softmax. It is there to repeat that example: with thousands of people its gradient
    vanishes, and cross-entropy is the better choice.
    """

    error = "squared_error"

    def cost(self, scores: Tensor, places: Tensor) -> Tensor:
        """Return the mean squared error of (N, S) scores where the true one is at `places` (N,)."""
        truth = F.one_hot(places, scores.shape[1]).to(scores.dtype)
        return F.mse_loss(scores.softmax(dim=1), truth)

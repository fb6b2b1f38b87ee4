"""Plain softmax over the training people, with the penalty on the norm of the prelogits."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from facenet.losses.classification import ClassificationLoss


class SoftmaxLoss(ClassificationLoss):
    """Cross-entropy of a linear head + factor x prelogits norm (davidsandberg/facenet, train_softmax.py).

    Args:
        embedding_size: E.
        classes: number of training people.
        options: of ClassificationLoss.

    Raises:
        ParamsInvalid: fewer than two classes.
    """

    def __init__(self, embedding_size: int, classes: int, **options: Any) -> None:
        super().__init__(embedding_size, classes, **options)
        self.logits = nn.Linear(embedding_size, classes)
        nn.init.xavier_uniform_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)

    def scores(self, prelogits: Tensor, people: Tensor | None) -> Tensor:
        """Return the logits (N, S)."""
        weight, bias = self.logits.weight, self.logits.bias
        if people is None:
            return F.linear(prelogits, weight, bias)
        return F.linear(prelogits, weight[people], bias[people])

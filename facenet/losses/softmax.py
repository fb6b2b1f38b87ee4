"""Plain softmax over the training people, with the penalty on the norm of the prelogits."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.losses.classes import check_classes
from facenet.losses.output import Loss, LossOutput
from facenet.losses.prelogits_norm import prelogits_norm


class SoftmaxLoss(Loss):
    """Cross-entropy of a linear head + factor x prelogits norm (davidsandberg/facenet, train_softmax.py).

    Figures: cross_entropy, prelogits_norm, accuracy (0 to 1, of the batch).

    Args:
        embedding_size: E.
        classes: number of training people.
        norm_factor: weight of the prelogits norm.
        norm_p: its order.

    Raises:
        ParamsInvalid: fewer than two classes.
    """

    def __init__(
        self, embedding_size: int, classes: int, *, norm_factor: float = 0.0, norm_p: float = 1.0
    ) -> None:
        super().__init__()
        check_classes(classes)
        self.logits = nn.Linear(embedding_size, classes)
        nn.init.xavier_uniform_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)
        self.norm_factor = norm_factor
        self.norm_p = norm_p

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,), 0 to classes - 1."""
        with torch.autocast(prelogits.device.type, enabled=False):
            prelogits = prelogits.float()
            logits = self.logits(prelogits)
            cross_entropy = F.cross_entropy(logits, labels)
            norm = prelogits_norm(prelogits, p=self.norm_p)
            figures: dict[str, float | Tensor] = {
                "cross_entropy": cross_entropy.detach(),
                "prelogits_norm": norm.detach(),
                "accuracy": (logits.detach().argmax(dim=1) == labels).float().mean(),
            }
            return LossOutput(cross_entropy + self.norm_factor * norm, figures)

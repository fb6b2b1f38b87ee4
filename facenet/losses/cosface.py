"""Softmax over cosines with an additive margin (CosFace)."""

import torch
from pytorch_metric_learning.losses import CosFaceLoss
from torch import Tensor

from facenet.losses.classes import check_classes
from facenet.losses.output import Loss, LossOutput
from facenet.losses.prelogits_norm import prelogits_norm


class CosineSoftmaxLoss(Loss):
    """Cross-entropy of scale x (cos - margin for the true person, cos for the others).

    Source: Wang et al. 2018, arXiv 1801.09414. Computed by pytorch-metric-learning, whose maths is the
    paper's; its head, (E, classes), is drawn from a normal distribution.

    Figures: cross_entropy, prelogits_norm, accuracy (0 to 1, of the batch, without the margin).

    Args:
        embedding_size: E.
        classes: number of training people.
        margin: in cosine.
        scale: of the logits.
        norm_factor: weight of the prelogits norm, which is added to the loss.
        norm_p: its order.

    Raises:
        ParamsInvalid: fewer than two classes.
    """

    def __init__(
        self,
        embedding_size: int,
        classes: int,
        *,
        margin: float,
        scale: float,
        norm_factor: float = 0.0,
        norm_p: float = 1.0,
    ) -> None:
        super().__init__()
        check_classes(classes)
        self.head = CosFaceLoss(classes, embedding_size, margin=margin, scale=scale)
        self.norm_factor = norm_factor
        self.norm_p = norm_p

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,), 0 to classes - 1."""
        with torch.autocast(prelogits.device.type, enabled=False):
            prelogits = prelogits.float()
            cross_entropy = self.head(prelogits, labels)
            norm = prelogits_norm(prelogits, p=self.norm_p)
            with torch.no_grad():
                guesses = self.head.get_logits(prelogits).argmax(dim=1)
            figures: dict[str, float | Tensor] = {
                "cross_entropy": cross_entropy.detach(),
                "prelogits_norm": norm.detach(),
                "accuracy": (guesses == labels).float().mean(),
            }
            return LossOutput(cross_entropy + self.norm_factor * norm, figures)

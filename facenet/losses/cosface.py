"""Softmax over cosines with an additive margin (CosFace)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facenet.losses.classes import check_classes
from facenet.losses.output import Loss, LossOutput
from facenet.losses.prelogits_norm import prelogits_norm
from facenet.networks.embedding import normalise


class CosineSoftmaxLoss(Loss):
    """Cross-entropy of scale x (cos - margin for the true person, cos for the others).

    Source: Wang et al. 2018, arXiv 1801.09414. pytorch-metric-learning's CosFaceLoss has the same value and
    gradient, but would compute the cosines a second time to tell the accuracy.

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
        self.weight = nn.Parameter(torch.empty(classes, embedding_size))
        nn.init.xavier_uniform_(self.weight)
        self.margin = margin
        self.scale = scale
        self.norm_factor = norm_factor
        self.norm_p = norm_p

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,), 0 to classes - 1."""
        with torch.autocast(prelogits.device.type, enabled=False):
            cosines = F.linear(normalise(prelogits), normalise(self.weight))
            margins = torch.zeros_like(cosines).scatter_(1, labels[:, None], self.margin)
            cross_entropy = F.cross_entropy(self.scale * (cosines - margins), labels)
            norm = prelogits_norm(prelogits, p=self.norm_p)
            figures: dict[str, float | Tensor] = {
                "cross_entropy": cross_entropy.detach(),
                "prelogits_norm": norm.detach(),
                "accuracy": (cosines.detach().argmax(dim=1) == labels).float().mean(),
            }
            return LossOutput(cross_entropy + self.norm_factor * norm, figures)

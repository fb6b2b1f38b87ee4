"""Triplet loss on the unit sphere, with the triplets mined from the batch."""

from typing import Literal

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.reducers import AvgNonZeroReducer, MeanReducer
from torch import Tensor

from facenet.losses.output import Loss, LossOutput
from facenet.mining.online import active_share, check_strategy, mine, positive_pairs
from facenet.networks.embedding import normalise


class TripletLoss(Loss):
    """Mean over triplets of max(0, d_ap - d_an + margin), d the squared distance of normalised embeddings.

    Source: Schroff et al. 2015, arXiv 1503.03832, who sum. Computed by pytorch-metric-learning.
    A batch without a triplet gives a loss of zero with a zero gradient.

    Figures:
        active_share: of all triplets in the batch, mined or not, with a loss above zero, 0 to 1.
        d_ap, d_an: mean squared distance, 0 to 4, of all positive or negative pairs of the batch; 0 if none.
        spread: mean squared distance of the embeddings from their mean, 1 - |mean|^2; 0 is collapse.
        candidates: triplets that the strategy found.

    Args:
        margin: in squared distance.
        mining: strategy of facenet.mining.online.
        average: over the triplets with a loss above zero, or over all that were found.

    Raises:
        ParamsInvalid: there is no such strategy.
    """

    def __init__(
        self, *, margin: float, mining: str = "semihard", average: Literal["active", "all"] = "active"
    ) -> None:
        super().__init__()
        check_strategy(mining)
        self.margin = margin
        self.mining = mining
        self.distance = LpDistance(normalize_embeddings=False, p=2, power=2)
        reducer = AvgNonZeroReducer() if average == "active" else MeanReducer()
        self.hinge = TripletMarginLoss(margin=margin, distance=self.distance, reducer=reducer)

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,), over triplets mined from the batch.

        Negatives are drawn from PyTorch's global CPU generator.
        """
        with torch.autocast(prelogits.device.type, enabled=False):
            embeddings = normalise(prelogits)
            with torch.no_grad():
                distances = self.distance(embeddings)
            triplets = mine(self.mining, distances, labels, margin=self.margin)
            figures: dict[str, float | Tensor] = {
                "active_share": active_share(distances, labels, margin=self.margin),
                "d_ap": _mean(distances[positive_pairs(labels)]),
                "d_an": _mean(distances[labels[:, None] != labels[None, :]]),
                "spread": 1 - embeddings.detach().mean(dim=0).square().sum(),
                "candidates": float(len(triplets.anchors)),
            }
            return LossOutput(self.hinge(embeddings, labels, tuple(triplets)), figures)


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(values.numel(), 1)

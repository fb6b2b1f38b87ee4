"""Triplet loss, on triplets mined from the batch or listed in advance."""

from typing import Literal, Self, get_args

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.reducers import AvgNonZeroReducer, MeanReducer, SumReducer
from torch import Tensor

from facenet.errors import ParamsInvalid
from facenet.losses.output import Loss, LossOutput, LossSettings
from facenet.mining.online import Triplets, active_share, check_strategy, mine, positive_pairs
from facenet.networks.embedding import NORM_EPS, normalise

Reduction = Literal["active", "all", "sum"]
REDUCERS = {"active": AvgNonZeroReducer, "all": MeanReducer, "sum": SumReducer}


class TripletLoss(Loss):
    """Mean or sum over triplets of max(0, d_ap - d_an + margin), d the squared distance of embeddings.

    Source: Schroff et al. 2015, arXiv 1503.03832, who sum; davidsandberg/facenet averages over all triplets.
    Computed by pytorch-metric-learning. A batch without triplets gives zero, with a zero gradient.

    Metrics:
        active_share: fraction of all triplets in the batch, mined or not, with a loss above zero, 0 to 1.
        d_ap, d_an: mean squared distance of all positive and of all negative pairs of the batch; 0 if none.
        spread: mean squared distance of the embeddings from their mean, divided by their mean squared length,
            0 to 1; 0 means collapse.
        candidates: number of triplets that the strategy found.

    Args:
        margin: in squared distance.
        mining: strategy of facenet.mining.online; unused if triplets are listed.
        reduction: active, the mean over triplets with a loss above zero; all, the mean over all found; sum.
        listed: rows 3k, 3k + 1 and 3k + 2 are anchor, positive and negative; otherwise triplets are mined.
        normalised: measure distances between unit-length embeddings; otherwise between prelogits.

    Raises:
        ParamsInvalid: unknown strategy or reduction.
    """

    def __init__(
        self,
        *,
        margin: float,
        mining: str = "semihard",
        reduction: str = "active",
        listed: bool = False,
        normalised: bool = True,
    ) -> None:
        super().__init__()
        if not listed:
            check_strategy(mining)
        if reduction not in REDUCERS:
            names = ", ".join(get_args(Reduction))
            raise ParamsInvalid(
                f"There is no reduction {reduction!r}. Set train.triplet_reduction to one of: {names}."
            )
        self.margin = margin
        self.mining = mining
        self.reduction = reduction
        self.listed = listed
        self.normalised = normalised
        self.distance = LpDistance(normalize_embeddings=False, p=2, power=2)
        self.hinge = TripletMarginLoss(margin=margin, distance=self.distance, reducer=REDUCERS[reduction]())

    @classmethod
    def from_settings(cls, settings: LossSettings, /) -> Self:
        """Return the loss with the given margin and options."""
        return cls(
            margin=settings.margin,
            mining=settings.mining,
            reduction=settings.triplet_reduction,
            listed=settings.listed,
            normalised=settings.normalised,
        )

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,), over mined or listed triplets.

        Negatives are drawn from PyTorch's global CPU generator.

        Raises:
            ValueError: the triplets are listed and N is not a multiple of three.
        """
        with torch.autocast(prelogits.device.type, enabled=False):
            embeddings = normalise(prelogits) if self.normalised else prelogits.float()
            with torch.no_grad():
                distances = self.distance(embeddings)
            triplets = self._triplets(distances, labels)
            metrics: dict[str, float | Tensor] = {
                "active_share": active_share(distances, labels, margin=self.margin),
                "d_ap": _mean(distances[positive_pairs(labels)]),
                "d_an": _mean(distances[labels[:, None] != labels[None, :]]),
                "spread": _spread(embeddings.detach()),
                "candidates": float(len(triplets.anchors)),
            }
            return LossOutput(self.hinge(embeddings, labels, tuple(triplets)), metrics)

    def _triplets(self, distances: Tensor, labels: Tensor) -> Triplets:
        if not self.listed:
            return mine(self.mining, distances, labels, margin=self.margin)
        if len(labels) % 3:
            raise ValueError(
                f"a batch of listed triplets must have a multiple of three rows, not {len(labels)}"
            )
        anchors = torch.arange(0, len(labels), 3, device=labels.device)
        return Triplets(anchors, anchors + 1, anchors + 2)


def _spread(rows: Tensor) -> Tensor:
    length = rows.square().sum(dim=1).mean()
    return 1 - rows.mean(dim=0).square().sum() / length.clamp_min(NORM_EPS)


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(values.numel(), 1)

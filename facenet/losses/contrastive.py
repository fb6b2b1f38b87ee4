"""Contrastive loss on pairs: pulls the same person together, pushes different people a margin apart."""

from typing import Self

import torch
from torch import Tensor

from facenet.losses.output import Loss, LossOutput, LossSettings
from facenet.networks.embedding import normalise

EPS = 1e-7  # under the square root, whose derivative at zero would be infinite


def pair_distance(left: Tensor, right: Tensor) -> Tensor:
    """Return sqrt(1e-7 + |a - b|^2) of the rows of two (P, E) tensors, (P,)."""
    return (EPS + (left - right).square().sum(dim=1)).sqrt()


def contrastive(distances: Tensor, same: Tensor, *, margin: float) -> Tensor:
    """Return d^2 of pairs of one person and max(0, margin - d)^2 of the others, (P,).

    Source: Hadsell et al. 2006, without the factor 1/2. pytorch-metric-learning's ContrastiveLoss does not
    square the terms.

    Args:
        distances: (P,) d.
        same: (P,) bool, True where both images show one person.
        margin: in d.
    """
    return torch.where(same, distances.square(), (margin - distances).clamp_min(0).square())


class ContrastiveLoss(Loss):
    """Mean of `contrastive` over the pairs of a batch; zero, with a zero gradient, without a pair.

    If every two rows form a pair, nearly all pairs show different people. Same and different pairs are then
    averaged separately and weighted equally; a list of pairs is balanced already.

    Metrics:
        similarity, dissimilarity: mean distance of same and of different pairs; 0 if none.
        pairs: number of pairs.

    Args:
        margin: in distance, not squared; half of it is a natural threshold.
        listed: rows 2k and 2k + 1 form a pair; otherwise every two rows do.
        normalised: measure distances between unit-length embeddings; otherwise between prelogits.
    """

    def __init__(self, *, margin: float, listed: bool = False, normalised: bool = True) -> None:
        super().__init__()
        self.margin, self.listed, self.normalised = margin, listed, normalised

    @classmethod
    def from_settings(cls, settings: LossSettings, /) -> Self:
        """Return the loss with the given margin and options."""
        return cls(margin=settings.margin, listed=settings.listed, normalised=settings.normalised)

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,).

        Raises:
            ValueError: the pairs are listed and N is odd.
        """
        with torch.autocast(prelogits.device.type, enabled=False):
            rows = normalise(prelogits) if self.normalised else prelogits.float()
            left, right = self._pairs(len(rows), labels.device)
            same = labels[left] == labels[right]
            distances = pair_distance(rows[left], rows[right])
            costs = contrastive(distances, same, margin=self.margin)
            seen = distances.detach()
            metrics: dict[str, float | Tensor] = {
                "similarity": _mean(seen[same]),
                "dissimilarity": _mean(seen[~same]),
                "pairs": float(len(same)),
            }
            return LossOutput(_mean(costs) if self.listed else _balanced_mean(costs, same), metrics)

    def _pairs(self, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
        if not self.listed:
            left, right = torch.triu_indices(count, count, offset=1, device=device)
            return left, right
        if count % 2:
            raise ValueError(f"a batch of listed pairs must have an even number of rows, not {count}")
        left = torch.arange(0, count, 2, device=device)
        return left, left + 1


def _balanced_mean(costs: Tensor, same: Tensor) -> Tensor:
    means = [costs[mask].mean() for mask in (same, ~same) if mask.any()]
    return torch.stack(means).mean() if means else costs.sum()


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(values.numel(), 1)

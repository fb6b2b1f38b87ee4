"""Contrastive loss on pairs: the same person near, different people at least the margin apart."""

import torch
from torch import Tensor

from facenet.losses.output import Loss, LossOutput
from facenet.networks.embedding import normalise

EPS = 1e-7  # under the root, whose derivative at zero would be infinite


def pair_distance(left: Tensor, right: Tensor) -> Tensor:
    """Return sqrt(1e-7 + |a - b|^2) of the rows of two (P, E) tensors, (P,)."""
    return (EPS + (left - right).square().sum(dim=1)).sqrt()


def contrastive(distances: Tensor, same: Tensor, *, margin: float) -> Tensor:
    """Return d^2 of pairs of one person and max(0, margin - d)^2 of the others, (P,).

    Source: Hadsell et al. 2006, without its factor of a half. pytorch-metric-learning's ContrastiveLoss does
    not square.

    Args:
        distances: (P,) d.
        same: (P,) bool, True where both images show one person.
        margin: in d.
    """
    return torch.where(same, distances.square(), (margin - distances).clamp_min(0).square())


class ContrastiveLoss(Loss):
    """Mean over the pairs of a batch of `contrastive`; without a pair it is zero, with a zero gradient.

    Where every two rows are a pair, nearly all are of different people: the mean is then that of the mean of
    either kind, as if half of the pairs were of one person, which a list of pairs sees to by itself.

    Metrics:
        similarity, dissimilarity: mean distance of pairs of the same and of different people; 0 if none.
        pairs: their number.

    Args:
        margin: in distance, not squared; half of it is then a natural threshold.
        listed: rows 2k and 2k + 1 are a pair; otherwise every two rows are.
        normalised: distances are those of embeddings of unit length; otherwise of the prelogits.
    """

    def __init__(self, *, margin: float, listed: bool = False, normalised: bool = True) -> None:
        super().__init__()
        self.margin, self.listed, self.normalised = margin, listed, normalised

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
            return LossOutput(_mean(costs) if self.listed else _mean_of_kinds(costs, same), metrics)

    def _pairs(self, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
        if not self.listed:
            left, right = torch.triu_indices(count, count, offset=1, device=device)
            return left, right
        if count % 2:
            raise ValueError(f"a batch of listed pairs has an even number of rows, this one has {count}")
        left = torch.arange(0, count, 2, device=device)
        return left, left + 1


def _mean_of_kinds(costs: Tensor, same: Tensor) -> Tensor:
    kinds = [costs[mask] for mask in (same, ~same) if mask.any()]
    return torch.stack([kind.mean() for kind in kinds]).mean() if kinds else costs.sum()


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(values.numel(), 1)

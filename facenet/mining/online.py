"""Triplets from one batch, by the distances of its embeddings.

| strategy | triplets | source |
|---|---|---|
| all | every anchor, positive, negative | Ding et al. 2015 |
| semihard | per anchor-positive pair one random n with d_ap < d_an < d_ap + margin | Schroff et al. 2015 |
| hard | per pair one random n with d_an < d_ap | |
| vgg | per pair one random n with d_an < d_ap + margin | Parkhi et al. 2015; davidsandberg, OpenFace |
| hardest | per pair the nearest n | |
| batch_hard | per anchor the farthest p and the nearest n | Hermans et al. 2017, arXiv 1703.07737 |

Pairs are ordered: (i, j) and (j, i) both count. Pairs or anchors without such a negative are dropped.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from facenet.errors import ParamsInvalid

STRATEGIES = ("all", "semihard", "hard", "vgg", "hardest", "batch_hard")


class Triplets(NamedTuple):
    """Row numbers in the batch, int64 (T,) each."""

    anchors: Tensor
    positives: Tensor
    negatives: Tensor


def check_strategy(strategy: str) -> None:
    """Raise ParamsInvalid if `strategy` is unknown."""
    if strategy not in STRATEGIES:
        raise ParamsInvalid(
            f"There is no mining strategy {strategy!r}. Set train.mining to one of: {', '.join(STRATEGIES)}."
        )


def positive_pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return all ordered pairs of different rows with equal labels, (M,) row numbers each, in row order."""
    same = labels[:, None] == labels[None, :]
    same.fill_diagonal_(False)
    anchors, positives = same.nonzero(as_tuple=True)
    return anchors, positives


def mine(
    strategy: str,
    distances: Tensor,
    labels: Tensor,
    *,
    margin: float,
    generator: torch.Generator | None = None,
) -> Triplets:
    """Return the triplets that `strategy` finds in a batch, ordered by anchor and positive.

    Args:
        strategy: one of STRATEGIES.
        distances: (N, N), in the unit of `margin`.
        labels: (N,) int64.
        margin: of the loss.
        generator: a CPU generator that draws negatives; PyTorch's global one by default.

    Raises:
        ParamsInvalid: unknown strategy.
    """
    check_strategy(strategy)
    distances = distances.detach()
    if strategy == "batch_hard":
        return _batch_hard(distances, labels)
    anchors, positives = positive_pairs(labels)
    draws = torch.rand(len(anchors), generator=generator).to(distances.device)
    if strategy == "all":
        pairs, negatives = (labels[anchors][:, None] != labels[None, :]).nonzero(as_tuple=True)
        return Triplets(anchors[pairs], positives[pairs], negatives)
    first, end, order = _candidates(strategy, distances, labels, margin)
    first, counts = first[anchors, positives], (end - first)[anchors, positives]
    chosen = torch.minimum((draws * counts).long(), counts - 1)  # rounding may push the product to the count
    negatives = order[anchors, (first + chosen).clamp_min(0)]
    found = counts > 0
    return Triplets(anchors[found], positives[found], negatives[found])


def active_share(distances: Tensor, labels: Tensor, *, margin: float) -> Tensor:
    """Return the fraction, 0 to 1, of all triplets in the batch with d_an < d_ap + margin; 0 if none."""
    distances = distances.detach()
    _, active, _ = _candidates("vgg", distances, labels, margin)
    negatives = (labels[:, None] != labels[None, :]).sum(dim=1)
    anchors, positives = positive_pairs(labels)
    return active[anchors, positives].sum() / negatives[anchors].sum().clamp_min(1)


def _candidates(
    strategy: str, distances: Tensor, labels: Tensor, margin: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return first, end and order, each (N, N) int64: the allowed negatives of each (anchor, positive).

    They are the entries `first` to `end` - 1 of `order`, in which each anchor's nearest negative comes first.
    """
    same = labels[:, None] == labels[None, :]
    ordered, order = distances.masked_fill(same, torch.inf).sort(dim=1, stable=True)
    first = torch.zeros_like(order)
    if strategy == "hardest":
        return first, (~same).any(dim=1, keepdim=True).long().expand_as(first), order
    if strategy == "hard":
        return first, torch.searchsorted(ordered, distances), order
    if strategy == "semihard":
        first = torch.searchsorted(ordered, distances, right=True)
    return first, torch.searchsorted(ordered, distances + margin), order


def _batch_hard(distances: Tensor, labels: Tensor) -> Triplets:
    same = labels[:, None] == labels[None, :]
    positive = same.clone().fill_diagonal_(False)
    anchors = (positive.any(dim=1) & ~same.all(dim=1)).nonzero()[:, 0]
    if len(anchors) == 0:
        return Triplets(anchors, anchors.clone(), anchors.clone())
    farthest = distances.masked_fill(~positive, -torch.inf).argmax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).argmin(dim=1)
    return Triplets(anchors, farthest[anchors], nearest[anchors])

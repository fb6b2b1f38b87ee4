"""Triplets out of one batch, by the distances the network gives at that moment.

| strategy | triplets | source |
|---|---|---|
| all | every anchor, positive, negative | Ding et al. 2015 |
| semihard | per anchor-positive pair one random n with d_ap < d_an < d_ap + margin | Schroff et al. 2015 |
| hard | per pair one random n with d_an < d_ap | |
| vgg | per pair one random n with d_an < d_ap + margin | Parkhi et al. 2015; davidsandberg, OpenFace |
| hardest | per pair the nearest n | |
| batch_hard | per anchor the farthest p and the nearest n | Hermans et al. 2017, arXiv 1703.07737 |

Pairs are ordered: (i, j) and (j, i) are two. Pairs or anchors without such a negative are left out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from facenet.errors import ParamsInvalid

CHUNK_ELEMENTS = 2**24  # of a (pairs, N) matrix held at a time: 1,800 photos give 70,000 pairs

STRATEGIES = ("all", "semihard", "hard", "vgg", "hardest", "batch_hard")


class Triplets(NamedTuple):
    """Row numbers in the batch, int64 (T,) each."""

    anchors: Tensor
    positives: Tensor
    negatives: Tensor


def check_strategy(strategy: str) -> None:
    """Raise ParamsInvalid when there is no such strategy."""
    if strategy not in STRATEGIES:
        raise ParamsInvalid(
            f"There is no mining strategy {strategy!r}. Set train.mining to one of: {', '.join(STRATEGIES)}."
        )


def positive_pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return all ordered pairs of different rows with equal labels as row numbers, (M,) each, row by row."""
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
        distances: (N, N), in the same measure as `margin`.
        labels: (N,) int64.
        margin: of the loss.
        generator: on the CPU; draws among several negatives. PyTorch's global one by default.

    Raises:
        ParamsInvalid: there is no such strategy.
    """
    check_strategy(strategy)
    distances = distances.detach()
    if strategy == "batch_hard":
        return _batch_hard(distances, labels)
    anchors, positives = positive_pairs(labels)
    draws = torch.rand(len(anchors), generator=generator).to(
        distances.device
    )  # one a pair, whatever the chunks
    found = [
        _negatives(strategy, _Chunk(distances, labels, anchors[part], positives[part], margin), draws[part])
        for part in _chunks(len(anchors), len(labels))
    ]
    if not found:
        return Triplets(anchors, positives, anchors.clone())
    starts = torch.tensor([part.start for part in _chunks(len(anchors), len(labels))], device=anchors.device)
    pairs = torch.cat([pair + start for (pair, _), start in zip(found, starts, strict=True)])
    return Triplets(anchors[pairs], positives[pairs], torch.cat([negative for _, negative in found]))


def active_share(distances: Tensor, labels: Tensor, *, margin: float) -> Tensor:
    """Return the share, 0 to 1, of all triplets in the batch with d_an < d_ap + margin, scalar; 0 if none."""
    distances = distances.detach()
    anchors, positives = positive_pairs(labels)
    active = torch.zeros((), dtype=torch.int64, device=distances.device)
    total = torch.zeros_like(active)
    for part in _chunks(len(anchors), len(labels)):
        chunk = _Chunk(distances, labels, anchors[part], positives[part], margin)
        active += (chunk.different & (chunk.d_an < chunk.d_ap + margin)).sum()
        total += chunk.different.sum()
    return active / total.clamp_min(1)


class _Chunk:
    """Some anchor-positive pairs against the whole batch: d_ap (M, 1), d_an (M, N), different (M, N) bool."""

    def __init__(
        self, distances: Tensor, labels: Tensor, anchors: Tensor, positives: Tensor, margin: float
    ) -> None:
        self.d_ap = distances[anchors, positives][:, None]
        self.d_an = distances[anchors]
        self.different = labels[anchors][:, None] != labels[None, :]
        self.margin = margin

    def candidates(self, strategy: str) -> Tensor:
        """Return (M, N) bool: the negatives that the strategy may take."""
        if strategy == "all":
            return self.different
        if strategy == "semihard":
            return self.different & (self.d_an > self.d_ap) & (self.d_an < self.d_ap + self.margin)
        limit = self.d_ap if strategy == "hard" else self.d_ap + self.margin
        return self.different & (self.d_an < limit)


def _chunks(pairs: int, rows: int) -> Iterator[slice]:
    step = max(1, CHUNK_ELEMENTS // max(rows, 1))
    return (slice(start, start + step) for start in range(0, pairs, step))


def _negatives(strategy: str, chunk: _Chunk, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Return pair numbers in the chunk and negatives, (T,) each."""
    if strategy == "hardest":
        pairs = chunk.different.any(dim=1).nonzero()[:, 0]
        nearest = chunk.d_an.masked_fill(~chunk.different, torch.inf).argmin(dim=1)
        return pairs, nearest[pairs]
    candidates = chunk.candidates(strategy)
    if strategy == "all":
        every, negatives = candidates.nonzero(as_tuple=True)
        return every, negatives
    pairs = candidates.any(dim=1).nonzero()[:, 0]
    return pairs, _draw(candidates[pairs], draws[pairs])


def _draw(candidates: Tensor, draws: Tensor) -> Tensor:
    """Return for each row of (M, N) bool the number of one true column, by a draw (M,) in [0, 1)."""
    ranks = candidates.cumsum(dim=1)
    counts = ranks[:, -1]
    chosen = torch.minimum((draws * counts).long(), counts - 1)  # the product may round up to the count
    return torch.searchsorted(ranks, (chosen + 1)[:, None])[:, 0]


def _batch_hard(distances: Tensor, labels: Tensor) -> Triplets:
    same = labels[:, None] == labels[None, :]
    positive = same.clone().fill_diagonal_(False)
    anchors = (positive.any(dim=1) & ~same.all(dim=1)).nonzero()[:, 0]
    if len(anchors) == 0:
        return Triplets(anchors, anchors.clone(), anchors.clone())
    farthest = distances.masked_fill(~positive, -torch.inf).argmax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).argmin(dim=1)
    return Triplets(anchors, farthest[anchors], nearest[anchors])

"""Sample the people that a head scores when there are too many to score all of them."""

import torch
from torch import Tensor


def sample_classes(
    labels: Tensor, classes: int, *, share: float, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Return the people of a batch with a random sample of the others, and the labels as positions in it.

    Source: An et al. 2022 (Partial FC), arXiv 2203.15565.

    Args:
        labels: (N,) int64, 0 to classes - 1.
        classes: C, number of training people.
        share: fraction of the people not in the batch, 0 to 1; at least one of them is sampled.
        generator: a CPU generator that draws C numbers; PyTorch's global one by default.

    Returns:
        (S,) int64 people in ascending order, and (N,) int64 positions: people[positions] equals labels.
    """
    keys = torch.rand(classes, generator=generator)
    keys[labels.cpu()] = 2.0
    present = int((keys == 2.0).sum())
    others = classes - present
    taken = min(others, max(1, round(share * others)))
    people = keys.topk(present + taken).indices.sort().values.to(labels.device)
    return people, torch.searchsorted(people, labels)

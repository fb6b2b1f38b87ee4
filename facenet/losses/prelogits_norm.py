"""A penalty on the norm of the prelogits, which plain softmax would otherwise let grow."""

import torch
from torch import Tensor

EPS = 1e-4  # added to each absolute value, as in davidsandberg/facenet


def prelogits_norm(prelogits: Tensor, *, p: float) -> Tensor:
    """Return the mean over the batch of the p-norm of |prelogits| + 1e-4, scalar float32.

    With p = 1 the norm is the sum over the features. Source: davidsandberg/facenet, train_softmax.py.

    Args:
        prelogits: (N, E).
        p: order of the norm, > 0.
    """
    norms: Tensor = torch.linalg.vector_norm(prelogits.float().abs() + EPS, ord=p, dim=1)
    return norms.mean()

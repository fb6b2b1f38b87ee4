"""Verification accuracy on pairs of people who are not trained on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from facenet.training.embedding import TableEmbedder
from facenet.training.sampling import Indices


@dataclass(frozen=True, kw_only=True)
class PairValidation:
    """Validation pairs and their embedder; all processes get the same metrics.

    left, right: (P,) int64 rows in the embedder's table.
    same: (P,) bool, whether both faces show the same person.
    """

    embedder: TableEmbedder
    left: Indices
    right: Indices
    same: npt.NDArray[np.bool_]

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return the accuracy at the best threshold, that threshold, and mean distances of either class.

        Distances are squared Euclidean, 0 to 4 for embeddings of unit length. The mean of a class without
        pairs is omitted; without any pairs the result is empty. The mode of the network is restored.
        """
        if not len(self.same):
            return {}
        rows, places = np.unique(np.concatenate([self.left, self.right]), return_inverse=True)
        embeddings = self.embedder(network, rows).astype(np.float64)
        left, right = np.split(embeddings[places], 2)
        distances = np.square(left - right).sum(axis=1)
        accuracy, threshold = best_accuracy(distances, self.same)
        metrics = {"accuracy": accuracy, "threshold": threshold}
        for name, mask in (("distance_same", self.same), ("distance_different", ~self.same)):
            if mask.any():
                metrics[name] = float(distances[mask].mean())
        return metrics


def best_accuracy(distances: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the best accuracy of `distance < threshold` on P >= 1 pairs, and the threshold.

    It is the smallest of the best thresholds and lies half way between two distances.
    """
    order = np.argsort(distances, kind="stable")
    ordered = distances[order]
    correct = (~same).sum() + np.concatenate([[0], np.cumsum(np.where(same[order], 1, -1))])
    between = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])  # equal distances stay together
    best = int(np.argmax(np.where(between, correct, -1)))
    edges = np.concatenate([[0.0], ordered, ordered[-1:] + 1])
    return float(correct[best] / len(same)), float((edges[best] + edges[best + 1]) / 2)

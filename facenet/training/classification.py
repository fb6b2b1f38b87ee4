"""Classification of validation images of the people who are trained on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from facenet.training.embedding import TableEmbedder
from facenet.training.processes import Processes
from facenet.training.sampling import Indices

CHUNK = 1024  # images scored at once, by a head of all people


class ClassLoss(Protocol):
    """A classification loss: a module whose head can also predict, see facenet.losses."""

    training: bool

    def __call__(self, prelogits: Tensor, labels: Tensor) -> Any:
        """Return the loss with its `metrics`, of prelogits (N, E) and labels (N,)."""

    def predict(self, prelogits: Tensor) -> Tensor:
        """Return the (N,) labels of prelogits (N, E)."""

    def train(self, mode: bool = True) -> Any:
        """Set the mode."""


@dataclass(frozen=True, kw_only=True)
class ClassValidation:
    """Validation images and the classification loss; all processes get the same metrics.

    rows: (N,) int64 rows in the embedder's table. labels: (N,) int64, 0 to C - 1, as in training.
    loss: of the training; its head is shared, and never sampled here.
    """

    embedder: TableEmbedder
    loss: ClassLoss
    rows: Indices
    labels: Indices

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return the mean error of the loss, such as `cross_entropy`, and `classification_accuracy`, 0 to 1.

        Faces are not augmented and dropout is off. Empty without images; modes are restored.
        """
        if not len(self.rows):
            return {}
        training, sums = self.loss.training, dict[str, float]()
        self.loss.train(False)
        with torch.no_grad():
            for prelogits, labels in self._chunks(self.embedder, network):
                for name, value in self.loss(prelogits, labels).metrics.items():
                    sums[name] = sums.get(name, 0.0) + float(value) * len(labels)
        self.loss.train(training)
        means = {name: total / len(self.rows) for name, total in sums.items()}
        return {
            **{name: means[name] for name in ("cross_entropy", "squared_error") if name in means},
            "classification_accuracy": means["accuracy"],
        }

    def predict(self, network: nn.Module) -> Indices:
        """Return the (N,) label that the head gives each image; the mode of the network is restored.

        This process embeds all images: the others may hold the model of another epoch.
        """
        alone = replace(self.embedder, processes=Processes())
        with torch.no_grad():
            chunks = self._chunks(alone, network)
            found = [self.loss.predict(prelogits).cpu().numpy() for prelogits, _ in chunks]
        return np.concatenate([np.empty(0, np.int64), *found])

    def _chunks(self, embedder: TableEmbedder, network: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield prelogits (M, E) and labels (M,) of all images, some at a time."""
        if not len(self.rows):
            return
        prelogits = replace(embedder, raw=True)(network, self.rows)
        for start in range(0, len(self.rows), CHUNK):
            part = slice(start, start + CHUNK)
            device = self.embedder.device
            yield torch.tensor(prelogits[part], device=device), torch.tensor(self.labels[part], device=device)

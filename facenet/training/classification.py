"""Classification of validation images of the people who are trained on."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from facenet.training.embedding import TableEmbedder
from facenet.training.sampling import Indices

CHUNK = 1024  # images scored at once, by a head of all people


@dataclass(frozen=True, kw_only=True)
class ClassValidation:
    """Validation images and the classification loss; all processes get the same metrics.

    rows: (N,) int64 rows in the embedder's table. labels: (N,) int64, 0 to C - 1, as in training.
    loss: of the training; its head is shared, and never sampled here.
    """

    embedder: TableEmbedder
    loss: nn.Module
    rows: Indices
    labels: Indices

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return the mean error of the loss, such as `cross_entropy`, and `classification_accuracy`, 0 to 1.

        Faces are not augmented and dropout is off. Empty without images; modes are restored.
        """
        if not len(self.rows):
            return {}
        prelogits = replace(self.embedder, raw=True)(network, self.rows)
        training, sums = self.loss.training, dict[str, float]()
        self.loss.eval()
        with torch.no_grad():
            for start in range(0, len(self.rows), CHUNK):
                part = slice(start, start + CHUNK)
                features = torch.from_numpy(np.ascontiguousarray(prelogits[part])).to(self.embedder.device)
                labels = torch.tensor(self.labels[part], device=self.embedder.device)
                for name, value in self.loss(features, labels).metrics.items():
                    sums[name] = sums.get(name, 0.0) + float(value) * len(labels)
        self.loss.train(training)
        means = {name: total / len(self.rows) for name, total in sums.items()}
        return {
            **{name: means[name] for name in ("cross_entropy", "squared_error") if name in means},
            "classification_accuracy": means["accuracy"],
        }

"""How well embeddings verify pairs of people who do not train."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facenet import networks
from facenet.devices import autocast
from facenet.model import center_crop
from facenet.standardisation import standardise
from facenet.training.data import FaceTable
from facenet.training.processes import Processes
from facenet.training.sampling import Indices


@dataclass(frozen=True, kw_only=True)
class PairValidation:
    """Pairs of faces and how to embed them.

    left, right: (P,) int64 rows in `table`.
    same: (P,) bool, whether the two are one person.
    image_size: side in pixels of the network's input, cut out of the middle.
    standardisation: of the faces, see facenet.standardisation.
    processes: those that validate together; each embeds its part of the faces, and all get the same figures.
    """

    table: FaceTable
    left: Indices
    right: Indices
    same: npt.NDArray[np.bool_]
    image_size: int
    device: torch.device
    precision: str
    batch_size: int
    standardisation: str = "fixed"
    processes: Processes = field(default_factory=Processes)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return the accuracy at the best threshold, that threshold, and mean distances by kind of pair.

        Distances are squared Euclidean, 0 to 4 of embeddings of unit length. A kind of pair that is missing
        has no mean; without pairs nothing is returned. The network is left in the mode it was in.
        """
        if not len(self.same):
            return {}
        rows, places = np.unique(np.concatenate([self.left, self.right]), return_inverse=True)
        embeddings = self._embed(network, rows)
        left, right = np.split(embeddings[places], 2)
        distances = np.square(left - right).sum(axis=1)
        accuracy, threshold = best_threshold(distances, self.same)
        figures = {"accuracy": accuracy, "threshold": threshold}
        for name, mask in (("distance_same", self.same), ("distance_different", ~self.same)):
            if mask.any():
                figures[name] = float(distances[mask].mean())
        return figures

    def _embed(self, network: nn.Module, rows: Indices) -> npt.NDArray[np.float64]:
        part = self.processes.part(0, len(rows))
        own = rows[part] if part.stop > part.start else rows[:1]  # one tells at least how wide they are
        chunks: Sequence[Indices] = np.array_split(own, -(-len(own) // self.batch_size))
        training = network.training
        network.eval()
        with torch.inference_mode():
            embedded = torch.cat([self._embed_chunk(network, self.table[chunk]) for chunk in chunks])
            together = self.processes.assemble(embedded[: part.stop - part.start], part, len(rows))
        network.train(training)
        return together.double().cpu().numpy()

    def _embed_chunk(self, network: nn.Module, faces: npt.NDArray[np.uint8]) -> Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(center_crop(faces, self.image_size)))
        images = standardise(pixels.to(self.device), self.standardisation)
        with autocast(self.device, self.precision):
            return networks.embed(network, images)


def best_threshold(distances: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the highest share of P >= 1 pairs that `distance < threshold` tells right, and the threshold.

    Of several best thresholds the smallest; it lies half way between two distances.
    """
    order = np.argsort(distances, kind="stable")
    ordered = distances[order]
    right = (~same).sum() + np.concatenate([[0], np.cumsum(np.where(same[order], 1, -1))])
    between = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])  # equal distances stay together
    best = int(np.argmax(np.where(between, right, -1)))
    edges = np.concatenate([[0.0], ordered, ordered[-1:] + 1])
    return float(right[best] / len(same)), float((edges[best] + edges[best + 1]) / 2)

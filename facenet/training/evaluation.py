"""Accuracy on the evaluation pairs during training, for information only."""

from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from facenet.evaluation.distances import Flip, Floats, Metric, combine_flips
from facenet.evaluation.protocol import PairRows, Protocol, check_scorable, verify
from facenet.evaluation.threshold_rule import threshold_rule
from facenet.training.embedding import TableEmbedder
from facenet.training.sampling import Indices

METRICS = ("accuracy", "val", "auc", "eer")


@dataclass(frozen=True, kw_only=True)
class PairEvaluation:
    """The LFW protocol with the network in training: a preview of stage evaluate.

    pairs: rows in the embedder's table.
    distance, flip: see facenet.evaluation.distances.
    subtract_mean: centre the embeddings of a fold by the mean of its training folds.
    far: the false accept rate at which VAL is measured.

    Raises:
        PairsFileInvalid: the pairs cannot be scored.
    """

    embedder: TableEmbedder
    pairs: PairRows
    distance: Metric = "euclidean_squared"
    flip: Flip = "none"
    subtract_mean: bool = False
    far: float = 1e-3

    def __post_init__(self) -> None:
        check_scorable(self.pairs.same, self.pairs.fold)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return accuracy, VAL, AUC and EER; the mode of the network is restored."""
        rows, places = np.unique(np.concatenate([self.pairs.left, self.pairs.right]), return_inverse=True)
        left, right = np.split(places, 2)
        pairs = PairRows(left=left, right=right, same=self.pairs.same, fold=self.pairs.fold)
        protocol = Protocol(
            metric=self.distance,
            subtract_mean=self.subtract_mean,
            far=self.far,
            rule=threshold_rule(pairs.same, pairs.fold),
        )
        metrics = verify(self._embed(network, rows), pairs, protocol).metrics()
        return {name: value for name in METRICS if (value := metrics[name]) is not None}

    def _embed(self, network: nn.Module, rows: Indices) -> Floats:
        """Return the (M, D) embeddings of M rows, with their mirror images if flips are used."""
        faces = self.embedder(network, rows)
        mirrored = None if self.flip == "none" else replace(self.embedder, mirrored=True)(network, rows)
        return combine_flips(faces, mirrored, self.flip)

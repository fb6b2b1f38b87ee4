"""Accuracy on the evaluation pairs during training, for information only."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from facenet.evaluation.protocol import PairRows, Protocol, check_scorable, verify
from facenet.evaluation.threshold_rule import threshold_rule
from facenet.training.embedding import TableEmbedder

METRICS = ("accuracy", "val", "auc", "eer")


@dataclass(frozen=True, kw_only=True)
class PairEvaluation:
    """The LFW protocol on squared Euclidean distances, without flips: a preview of stage evaluate.

    pairs: rows in the embedder's table.
    far: the false accept rate at which VAL is measured.

    Raises:
        PairsFileInvalid: the pairs cannot be scored.
    """

    embedder: TableEmbedder
    pairs: PairRows
    far: float = 1e-3

    def __post_init__(self) -> None:
        check_scorable(self.pairs.same, self.pairs.fold)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return accuracy, VAL, AUC and EER; the mode of the network is restored."""
        rows, places = np.unique(np.concatenate([self.pairs.left, self.pairs.right]), return_inverse=True)
        left, right = np.split(places, 2)
        pairs = PairRows(left=left, right=right, same=self.pairs.same, fold=self.pairs.fold)
        protocol = Protocol(far=self.far, rule=threshold_rule(pairs.same, pairs.fold))
        metrics = verify(self.embedder(network, rows).astype(np.float64), pairs, protocol).metrics()
        return {name: value for name in METRICS if (value := metrics[name]) is not None}

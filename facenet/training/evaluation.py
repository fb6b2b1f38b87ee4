"""How well embeddings verify the evaluation pairs while the network is trained; they choose nothing."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from facenet.evaluation.protocol import PairRows, Protocol, check_scorable, verify
from facenet.training.embedding import TableEmbedder

FIGURES = ("accuracy", "val", "auc", "eer")


@dataclass(frozen=True, kw_only=True)
class PairEvaluation:
    """The LFW protocol on squared Euclidean distances, without flips: the first figures of stage evaluate.

    pairs: rows in the embedder's table. Where pairs of fold -1 choose the threshold, it is the even one.
    far: the share of false accepts at which VAL is measured.

    Raises:
        PairsFileInvalid: the pairs cannot be scored.
    """

    embedder: TableEmbedder
    pairs: PairRows
    far: float = 1e-3

    def __post_init__(self) -> None:
        check_scorable(self.pairs.same, self.pairs.fold)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return accuracy, VAL, AUC and EER; the network is left in the mode it was in."""
        rows, places = np.unique(np.concatenate([self.pairs.left, self.pairs.right]), return_inverse=True)
        left, right = np.split(places, 2)
        pairs = PairRows(left=left, right=right, same=self.pairs.same, fold=self.pairs.fold)
        protocol = Protocol(far=self.far, even=bool((pairs.fold < 0).any()))
        figures = verify(self.embedder(network, rows).astype(np.float64), pairs, protocol).figures()
        return {name: value for name in FIGURES if (value := figures[name]) is not None}

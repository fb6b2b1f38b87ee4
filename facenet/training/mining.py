"""Mine the triplets of each epoch with the network in training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from facenet.errors import NoTriplets
from facenet.mining.mined import MinedPlan
from facenet.mining.offline import Embeddings, Indices, PositivePairs
from facenet.networks.embedding import NORM_EPS
from facenet.training.embedding import OnFaces, TableEmbedder
from facenet.training.health import NARROW

PATIENCE = 3  # epochs in a row without a triplet
EXAMINED = 500  # pairs, to find out why no triplet was found


@dataclass(kw_only=True)
class Mining:
    """Mines triplets before each epoch.

    plan: receives the triplets.
    embedder: of the faces.
    rows: (N,) row in the table of each training image.
    seed: of dropout, different in each process, if photos are embedded in training mode.
    on_faces: called with the number of faces embedded, and to embed, by this process.

    `idle` is the number of consecutive epochs without triplets.
    """

    plan: MinedPlan
    embedder: TableEmbedder
    rows: Indices
    seed: int
    on_faces: OnFaces | None = None
    idle: int = field(default=0, init=False)

    def __call__(self, epoch: int, network: nn.Module, train: Callable[[], None]) -> None:
        """Mine the triplets of `epoch`, unless a checkpoint has restored them.

        train: sets the network to training mode, except frozen layers.

        Raises:
            NoTriplets: PATIENCE consecutive epochs had none.
        """
        if self.plan.epoch == epoch:
            return
        seen: list[tuple[Indices, Embeddings]] = []

        def embed(rows: Indices, *, training: bool) -> Embeddings:
            if training:
                train()
                seed = np.random.SeedSequence([self.seed, epoch, self.embedder.processes.rank])
                torch.manual_seed(int(seed.generate_state(1)[0]))
            run = self.embedder.in_training if training else self.embedder
            seen.append((rows, run(network, self.rows[rows], self.on_faces)))
            return seen[-1][1]

        self.plan.mine(epoch, embed)
        self.idle = 0 if self.plan.batches(epoch) else self.idle + 1
        if self.idle >= PATIENCE:
            rows, embeddings = seen[-1]
            miner = self.plan.miner
            cause = why_none(embeddings, miner.labels[rows], miner.margin)
            raise NoTriplets(f"Mining found no triplet for {self.idle} epochs in a row: {cause}")

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics of the last mined epoch."""
        return {"mined_triplets": float(len(self.plan.triplets))}

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint within an epoch: the network has changed since it mined."""
        triplets = torch.from_numpy(self.plan.triplets.astype(np.int32))
        return {"epoch": self.plan.epoch, "triplets": triplets, "idle": self.idle}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a `state`."""
        self.plan.set(state["epoch"], state["triplets"].numpy().astype(np.int64))
        self.idle = state["idle"]


def why_none(embeddings: Embeddings, labels: Indices, margin: float) -> str:
    """Return why no pair of (M, E) embeddings has a negative within the margin, and what to do."""
    length = np.square(embeddings).sum(axis=1, dtype=np.float64).mean()
    spread = 1 - np.square(embeddings.mean(axis=0, dtype=np.float64)).sum() / max(length, NORM_EPS)
    if spread < NARROW:
        return (
            f"all embeddings are at one point (spread {spread:.1e}). Lower train.schedule.rate, or start "
            "from a network trained with softmax (train.init)."
        )
    pairs = PositivePairs(labels)
    if not len(pairs):
        return "no person has two photos among those embedded. Raise triplets.exemplars."
    places = np.unique(np.linspace(0, len(pairs) - 1, EXAMINED).astype(np.int64))
    far = np.mean([_is_far(embeddings, labels, pair, margin) for pair in pairs.rows(places)])
    if far > 0.5:
        return (
            f"for {far:.0%} of the pairs every negative is farther than the positive by more than the margin "
            f"{margin:g}. Nothing is left to learn from these photos: lower train.epochs, or raise "
            "train.margin or triplets.exemplars."
        )
    return (
        f"for {1 - far:.0%} of the pairs a negative is nearer than the positive, and none lies between the "
        "positive and the margin. Raise train.margin, set triplets.selection to davidsandberg, which accepts "
        "harder negatives too, or start from a network trained with softmax (train.init)."
    )


def _is_far(embeddings: Embeddings, labels: Indices, pair: Indices, margin: float) -> bool:
    anchor, positive = pair
    distances = np.square(embeddings - embeddings[anchor]).sum(axis=1)
    nearest = distances[labels != labels[anchor]].min(initial=np.inf)
    return bool(nearest >= distances[positive] + margin)

"""Triplets out of a sample of the data set, embedded by the network of that moment.

| selection | sample | anchors | negatives |
|---|---|---|---|
| facenet | P people with up to K photos, filled up with photos of others | the P people | semi-hard |
| davidsandberg | people in turn with up to K photos, until it is full | its first P people | hard too |

In FaceNet the sample is about 1,800 photos with about 40 of a person (Schroff et al. 2015, arXiv 1503.03832);
how many are of others is not said. davidsandberg/facenet (train_tripletloss.py) takes 45 x 40 photos.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from facenet.errors import DataInvalid
from facenet.mining.mined import Embed
from facenet.mining.offline import (
    Embeddings,
    Generator,
    Indices,
    PositivePairs,
    Strategy,
    mine_negatives,
    shuffled_triplets,
)

Selection = Literal["facenet", "davidsandberg"]
STRATEGIES: dict[Selection, Strategy] = {"facenet": "semihard", "davidsandberg": "vgg"}


def sample_people(labels: Indices, *, images: int, total: int, rng: Generator) -> Indices:
    """Return rows of people in random order, up to `images` of each in random order, `total` in all.

    The last person may be cut short. There are fewer rows if the data set has no more.
    """
    rows = rng.permutation(len(labels))
    people, person = np.unique(labels[rows], return_inverse=True)
    turn = rng.permutation(len(people))[person]
    order = np.argsort(turn, kind="stable")
    turn = turn[order]
    photo = np.arange(len(turn)) - np.searchsorted(turn, turn)  # a person's first one is 0
    chosen: Indices = rows[order[photo < images][:total]].astype(np.int64)
    return chosen


def sample_exemplars(labels: Indices, *, people: int, images: int, total: int, rng: Generator) -> Indices:
    """Return rows of `people` people who have two photos, up to `images` of each, and then of anyone else.

    The others are drawn evenly from all photos of other people, to `total` rows, or as many as there are.
    """
    names, counts = np.unique(labels, return_counts=True)
    chosen = rng.permutation(names[counts >= 2])[:people]
    own = np.flatnonzero(np.isin(labels, chosen))
    exemplars = own[sample_people(labels[own], images=images, total=total, rng=rng)]
    others = rng.permutation(np.flatnonzero(~np.isin(labels, chosen)))[: total - len(exemplars)]
    return np.concatenate([exemplars, others]).astype(np.int64)


def select_triplets(
    embeddings: Embeddings,
    labels: Indices,
    anchors: Indices,
    *,
    strategy: Strategy,
    margin: float,
    rng: Generator,
) -> Indices:
    """Return shuffled triplets (T, 3) of rows of a sample: all pairs of `anchors`, a negative of anyone.

    The earlier row of a pair is its anchor; pairs without a negative are left out.

    Args:
        embeddings: (M, E) of the sample.
        labels: (M,).
        anchors: people whose pairs are taken.
        strategy: of `mine_negatives`.
        margin: in squared distance.
        rng: of negatives and order.
    """
    own = np.flatnonzero(np.isin(labels, anchors)).astype(np.int64)
    pairs = PositivePairs(labels[own])
    rows = own[pairs.rows(np.arange(len(pairs)))]
    negatives = mine_negatives(embeddings, labels, rows, strategy=strategy, margin=margin, rng=rng)
    return shuffled_triplets(rows, negatives, rng=rng)


@dataclass(frozen=True, kw_only=True)
class ExemplarMiner:
    """Triplets that are mined round by round; each is a function of seed, round and the embeddings.

    labels: (N,) person of each image.
    selection: see the module.
    people: P, whose pairs are taken in a round.
    images: K, of a person at most.
    total: images that are embedded in a round.
    margin: in squared distance.
    seed: of samples, negatives and order.
    training: embed with dropout and the statistics of the batch, as davidsandberg/facenet does; the running
        statistics of batch norm then move with photos that are not trained on.
    """

    labels: Indices
    selection: Selection
    people: int
    images: int = 40
    total: int = 1800
    margin: float = 0.2
    seed: int
    training: bool = False

    def __post_init__(self) -> None:
        """Raise DataInvalid when no triplet could ever be found."""
        _, counts = np.unique(self.labels, return_counts=True)
        if len(counts) < 2 or counts.max() < 2:
            raise DataInvalid(
                f"A selection of exemplars needs two people, one of them with two photos; there are "
                f"{len(counts)} people with {len(self.labels)} photos. Add photos in ingest.sources."
            )

    def __len__(self) -> int:
        """Return the most triplets that a round can have."""
        _, counts = np.unique(self.labels, return_counts=True)
        photos = np.sort(np.minimum(counts, self.images))[-self.people :]
        return int((photos * (photos - 1) // 2).sum())

    def triplets(self, number: int, embed: Embed) -> Indices:
        """Return the triplets (T, 3) of round `number`, as rows of the data set; T may be 0."""
        rng = np.random.default_rng([self.seed, number])
        rows = self._sample(rng)
        labels = self.labels[rows]
        people, first = np.unique(labels, return_index=True)
        anchors = people[np.argsort(first)][: self.people]  # who come first in the sample
        found = select_triplets(
            embed(rows, training=self.training),
            labels,
            anchors,
            strategy=STRATEGIES[self.selection],
            margin=self.margin,
            rng=rng,
        )
        return rows[found]

    def _sample(self, rng: Generator) -> Indices:
        if self.selection == "davidsandberg":
            return sample_people(self.labels, images=self.images, total=self.total, rng=rng)
        return sample_exemplars(
            self.labels, people=self.people, images=self.images, total=self.total, rng=rng
        )

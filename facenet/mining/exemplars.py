"""Triplets from a sample of the data set, embedded by the current network.

| selection | sample | anchors | negatives |
|---|---|---|---|
| facenet | P people with up to K photos, plus photos of other people | the P people | semi-hard |
| davidsandberg | random people with up to K photos each | the first P people | semi-hard and hard |
| hardest | as facenet | the P people | the nearest; positives the farthest |

FaceNet samples about 1,800 photos with about 40 per person (Schroff et al. 2015, arXiv 1503.03832) and does
not report how many show other people. davidsandberg/facenet (train_tripletloss.py) samples 45 x 40 photos.
hardest is the argmax and argmin of Schroff et al., over a subset embedded by the latest network.
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
    hardest_pairs,
    mine_negatives,
    shuffled_triplets,
)

Selection = Literal["facenet", "davidsandberg", "hardest"]
STRATEGIES: dict[str, Strategy] = {"facenet": "semihard", "davidsandberg": "vgg"}


def sample_people(labels: Indices, *, images: int, total: int, rng: Generator) -> Indices:
    """Return up to `images` rows of each person, `total` in all, people and rows in random order.

    The last person may have fewer. There are fewer rows if the data set has fewer.
    """
    rows = rng.permutation(len(labels))
    people, person = np.unique(labels[rows], return_inverse=True)
    turn = rng.permutation(len(people))[person]
    order = np.argsort(turn, kind="stable")
    turn = turn[order]
    photo = np.arange(len(turn)) - np.searchsorted(turn, turn)  # 0 for the first one of a person
    chosen: Indices = rows[order[photo < images][:total]].astype(np.int64)
    return chosen


def sample_exemplars(labels: Indices, *, people: int, images: int, total: int, rng: Generator) -> Indices:
    """Return up to `images` rows of each of `people` people with two photos, then rows of other people.

    The latter are drawn uniformly from the photos of all other people, up to `total` rows in all.
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
    """Return shuffled triplets (T, 3) of rows of a sample: all pairs of `anchors`, any negative.

    The earlier row of a pair is its anchor; pairs without a negative are dropped.

    Args:
        embeddings: (M, E) of the sample.
        labels: (M,).
        anchors: people whose pairs are used.
        strategy: of `mine_negatives`.
        margin: in squared distance.
        rng: of negatives and order.
    """
    own = np.flatnonzero(np.isin(labels, anchors)).astype(np.int64)
    pairs = PositivePairs(labels[own])
    rows = own[pairs.rows(np.arange(len(pairs)))]
    negatives = mine_negatives(embeddings, labels, rows, strategy=strategy, margin=margin, rng=rng)
    return shuffled_triplets(rows, negatives, rng=rng)


def hardest_triplets(embeddings: Embeddings, labels: Indices, anchors: Indices, *, rng: Generator) -> Indices:
    """Return shuffled triplets (T, 3) of rows of a sample: each photo of `anchors` with its hardest pair.

    The positive is the farthest row of the same person, the negative the nearest row of anyone else. Rows
    without either are dropped. Source: Schroff et al. 2015, arXiv 1503.03832, section 3.2.

    Args:
        embeddings: (M, E) of the sample.
        labels: (M,).
        anchors: people whose photos are anchors.
        rng: of the order.
    """
    own = np.flatnonzero(np.isin(labels, anchors)).astype(np.int64)
    positives, negatives = hardest_pairs(embeddings, labels, own)
    found = (positives >= 0) & (negatives >= 0)
    return rng.permutation(np.column_stack([own, positives, negatives])[found])


@dataclass(frozen=True, kw_only=True)
class ExemplarMiner:
    """Mines triplets in rounds; each round is a function of seed, round and the embeddings.

    labels: (N,) person of each image.
    selection: see the module.
    people: P, people whose pairs are used per round.
    images: K, maximum number of images per person.
    total: images embedded per round.
    margin: in squared distance; unused by hardest.
    seed: of samples, negatives and order.
    training: embed with dropout and batch statistics, as davidsandberg/facenet does; photos that are not
        trained on then also update the running statistics of batch norm.
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
        """Raise DataInvalid if the images have no triplet at all."""
        _, counts = np.unique(self.labels, return_counts=True)
        if len(counts) < 2 or counts.max() < 2:
            raise DataInvalid(
                f"Plan exemplars needs at least two people, one of them with two photos; there are "
                f"{len(counts)} people with {len(self.labels)} photos. Add photos in ingest.sources."
            )

    def __len__(self) -> int:
        """Return the maximum number of triplets in a round."""
        _, counts = np.unique(self.labels, return_counts=True)
        photos = np.sort(np.minimum(counts, self.images))[-self.people :]
        return int((photos if self.selection == "hardest" else photos * (photos - 1) // 2).sum())

    def triplets(self, number: int, embed: Embed) -> Indices:
        """Return the triplets (T, 3) of round `number`, as rows of the data set; T may be 0."""
        rng = np.random.default_rng([self.seed, number])
        rows = self._sample(rng)
        labels = self.labels[rows]
        people, first = np.unique(labels, return_index=True)
        anchors = people[np.argsort(first)][: self.people]  # in order of appearance in the sample
        embeddings = embed(rows, training=self.training)
        if self.selection == "hardest":
            return rows[hardest_triplets(embeddings, labels, anchors, rng=rng)]
        found = select_triplets(
            embeddings,
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

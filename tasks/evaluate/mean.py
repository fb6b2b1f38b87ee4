"""The mean that is subtracted from embeddings before cosines: of the folds, of training photos, or none.

A mean of few people lies near each of them, and subtracting it pushes them apart: on 10 people of LFW
(weights trained on CASIA-WebFace) it lowers the accuracy from 0.984 to 0.932 and turns FAR 0.1 into 0.54 for
other people. With 40 people it helps: 0.987 instead of 0.982. The mean of 250 people who are not evaluated
helps at any size, so training photos replace the folds where the evaluation has too few people.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from facenet.evaluation.distances import Floats
from facenet.evaluation.sample_size import LEAST_PEOPLE
from tasks.evaluate.pairs import Pairs
from tasks.params.evaluate import EvaluateParams

MeanSource = Literal["folds", "training", "none"]
PHOTOS = 2000  # maximum number of training photos to embed for the mean


class Mean(NamedTuple):
    """The source of the mean, the number of people it is of, and (D,) its value, None for the folds."""

    source: MeanSource
    people: int = 0
    value: Floats | None = None


def choose_mean(
    pairs: Pairs,
    training: Sequence[str],
    identities: Mapping[str, str],
    params: EvaluateParams,
    embed: Callable[[Collection[str]], Floats],
) -> Mean:
    """Return the mean to subtract.

    Args:
        pairs: the usable pairs; every fold needs enough people outside it.
        training: the training photos.
        identities: the person of every stored photo, by image_id.
        params: subtract_mean, and distance: the squared Euclidean one is independent of the mean.
        embed: returns (N, D) embeddings, with flips as evaluated, of N photos.
    """
    if not params.subtract_mean or params.distance == "euclidean_squared":
        return Mean("none")
    people = people_outside(pairs)
    if people >= LEAST_PEOPLE:
        return Mean("folds", people)
    known = len({identities[photo] for photo in training})
    if known < LEAST_PEOPLE:
        return Mean("none")
    ordered = sorted(training)
    sample = ordered[:: -(-len(ordered) // PHOTOS)]
    vectors = embed(sample)
    return Mean("training", len({identities[photo] for photo in sample}), vectors.mean(axis=0))


def people_outside(pairs: Pairs) -> int:
    """Return the smallest number of people in the usable pairs outside a scored fold."""
    fold, sides = pairs.usable["fold"].to_numpy(), pairs.people
    numbers = np.unique(np.concatenate(sides), return_inverse=True)[1].reshape(2, -1)
    return min(len(np.unique(numbers[:, fold != number])) for number in np.unique(fold[fold >= 0]))

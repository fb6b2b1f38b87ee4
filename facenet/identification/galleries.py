"""Identification in all galleries that can be drawn from the evaluated people, without drawing any.

A probe of an unknown person has a nearest, a second nearest, ... of n other people. Of all galleries of N of
these, a fraction C(n - k, N - 1) / C(n, N) contains the k-th nearest and nobody nearer. Weighted with it, the
distances to all n people have the distribution of the distance to the nearest in a random gallery of N, and
its quantiles are the thresholds of false positive identification rates. This is what resampling galleries
converges to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from facenet.evaluation.distances import Floats, Metric, cross_distances, unit_rows
from facenet.evaluation.gallery_calibration import FPIRS, GalleryCalibration
from facenet.evaluation.platt import fit_sigmoid
from facenet.evaluation.sample_size import SampleSize
from facenet.evaluation.sigmoid import Sigmoid
from facenet.evaluation.thresholds import ROUNDING
from facenet.evaluation.uncertainty import Interval, wilson_interval
from facenet.identification.likelihood import fit_likelihood
from facenet.identification.probes import Probes, choose_probes

BINS = 2**16  # of distances, from 0 to the largest possible one
BLOCK = 256  # probes whose distances are in memory at once
NEGLIGIBLE = 1e-9  # probability that a gallery has nobody among the nearest people


@dataclass(frozen=True, kw_only=True)
class GalleryPoint:
    """Identification in galleries of `photos` people with one photo each, at one target FPIR.

    threshold: of the distance. fpir_interval: of the FPIR for other people. rank1: fraction of probes of
    enrolled people whose person is the nearest; tpir: and is below the threshold; people have equal weight.
    Intervals: 95 %. supported: whether there are enough people to state the FPIR.
    """

    photos: int
    fpir_target: float
    threshold: float
    fpir_interval: Interval
    rank1: float
    rank1_interval: Interval
    tpir: float
    tpir_interval: Interval
    supported: bool


@dataclass(frozen=True, kw_only=True)
class Galleries:
    """The calibration of the decisions, and the rates by size and target FPIR.

    probes: number of probes. probe_people: number of people who have a probe besides their enrolled photo.
    """

    calibration: GalleryCalibration
    points: tuple[GalleryPoint, ...]
    probes: int
    probe_people: int


@dataclass(frozen=True)
class _Compared:
    """Probes against n people.

    nearest: (S, BINS) distribution of the distance to the nearest unknown person in galleries of each size.
    own: (G,) distance of each probe to another photo of its person. nearer: (G,) number of other people at
    most as far. people: (G,) its person. step: width of a bin.
    """

    nearest: Floats
    own: Floats
    nearer: npt.NDArray[np.int64]
    people: npt.NDArray[np.int64]
    step: float


def measure_galleries(
    vectors: npt.NDArray[np.floating],
    names: Sequence[str],
    metric: Metric,
    *,
    seed: int,
    fpirs: Sequence[float] = FPIRS,
) -> Galleries | None:
    """Return the rates of galleries of 1, 2, 4, ... people; None if no two people, or no two photos of one.

    Each person is enrolled with one photo, chosen by the seed, and others are the probes. With fewer than 40
    people the calibration has no thresholds.

    Args:
        vectors: (M, D) with flips combined and the mean subtracted.
        names: the person of each.
        metric: the distance.
        seed: of the choice of photos.
        fpirs: descending target rates.
    """
    probes = choose_probes(names, seed)
    others = len(probes.enrolled) - 1
    if others < 1 or not probes.genuine.any():
        return None
    sizes = [2**power for power in range(others.bit_length())]
    rows = np.asarray(vectors, np.float32) if metric == "euclidean_squared" else unit_rows(vectors)
    compared = _compare(rows, probes, metric, sizes)
    points = tuple(_point(compared, others, sizes, size, fpir) for size in sizes for fpir in fpirs)
    ratio = _sigmoid(compared, others + 1)
    if ratio.slope > 0:
        ratio = fit_likelihood(rows, probes, metric, ratio, seed=seed)
    calibration = GalleryCalibration(people=others + 1, slope=ratio.slope, intercept=ratio.intercept)
    if calibration.shortage() is None:
        table = np.reshape([point.threshold for point in points], (len(sizes), len(fpirs))).tolist()
        calibration = replace(
            calibration, sizes=tuple(sizes), fpirs=tuple(fpirs), thresholds=tuple(map(tuple, table))
        )
    return Galleries(
        calibration=calibration,
        points=points,
        probes=len(probes.rows),
        probe_people=len(np.unique(compared.people)),
    )


def nearest_weights(others: int, size: int) -> Floats:
    """Return the (others,) fractions of galleries of `size` of them in which the k-th nearest is the nearest.

    others: n. The k-th fraction, k from 1, is C(n - k, size - 1) / C(n, size).
    """
    ranks = np.arange(1, others + 1)
    return np.asarray(np.exp(_log_choose(others - ranks, size - 1) - _log_choose(others, size)), np.float64)


def _log_choose(total: npt.ArrayLike, chosen: int) -> Floats:
    """Return ln C(total, chosen); -inf where `chosen` exceeds the total."""
    number = np.asarray(total, np.float64)
    rest = np.maximum(number - chosen, 0)
    value = gammaln(number + 1) - gammaln(chosen + 1) - gammaln(rest + 1)
    return np.where(number >= chosen, value, -np.inf)


def _compare(
    rows: npt.NDArray[np.float32], probes: Probes, metric: Metric, sizes: Sequence[int]
) -> _Compared:
    enrolled, others = rows[probes.enrolled], len(probes.enrolled) - 1
    longest = float(np.einsum("ij,ij->i", rows, rows).max())
    step = {"cosine": 2.0, "arccos": 1.0, "euclidean_squared": 4 * longest or 1.0}[metric] / BINS
    weights = [_cut(nearest_weights(others, size)) for size in sizes]
    nearest, own, nearer = np.zeros((len(sizes), BINS)), [], []
    for start in range(0, len(probes.rows), BLOCK):
        block = slice(start, start + BLOCK)
        people, shares = probes.people[block], probes.shares[block]
        distances = cross_distances(rows[probes.rows[block]], enrolled, metric)
        inside = np.arange(len(people))
        own.append(distances[inside, people])
        nearer.append((distances <= own[-1][:, None]).sum(axis=1) - 1)
        distances[inside, people] = np.inf
        distances.sort(axis=1)
        bins = np.minimum(distances[:, :others] / step, BINS - 1).astype(np.int64)
        for number, fractions in enumerate(weights):
            part = bins[:, : len(fractions)]
            weighted = shares[:, None] * fractions
            nearest[number] += np.bincount(part.ravel(), weighted.ravel(), minlength=BINS)
    genuine = probes.genuine
    return _Compared(
        nearest, np.concatenate(own)[genuine], np.concatenate(nearer)[genuine], probes.people[genuine], step
    )


def _cut(fractions: Floats) -> Floats:
    """Return the fractions of the nearest people; all further ones together are negligible."""
    return fractions[: int(np.searchsorted(np.cumsum(fractions), 1 - NEGLIGIBLE)) + 1]


def _point(compared: _Compared, others: int, sizes: Sequence[int], size: int, fpir: float) -> GalleryPoint:
    passed = np.cumsum(compared.nearest[sizes.index(size)])
    threshold = float(np.searchsorted(passed, fpir + ROUNDING, side="right")) * compared.step
    alone = np.exp(
        _log_choose(others - compared.nearer, size - 1) - _log_choose(others, size - 1)
    )  # fraction of the galleries with the person and N - 1 others, none of them as near
    rank1, tpir = (_mean(compared.people, found) for found in (alone, alone * (compared.own < threshold)))
    people, probe_people = others + 1, len(np.unique(compared.people))
    pairs = people * others // 2
    return GalleryPoint(
        photos=size,
        fpir_target=fpir,
        threshold=threshold,
        fpir_interval=fpir_interval(fpir, size, people),
        rank1=rank1,
        rank1_interval=wilson_interval(rank1 * probe_people, probe_people),
        tpir=tpir,
        tpir_interval=wilson_interval(tpir * probe_people, probe_people),
        supported=SampleSize(people, pairs).shortage(fpir / size) is None,
    )


def fpir_interval(fpir: float, size: int, people: int) -> Interval:
    """Return the 95 % interval, for other people, of an FPIR measured on `people` in galleries of `size`.

    The pairs of people behind it, fpir / size of all, share people: they are worth 1 / (1 / pairs + 1 /
    people) independent errors. On LFW this held the spread over samples of 40 to 400 people
    (docs/decisions/0023-identification.md).
    """
    pairs = fpir / size * people * (people - 1) / 2
    errors = 1 / (1 / pairs + 1 / people)
    return wilson_interval(errors, errors / fpir)


def _mean(people: npt.NDArray[np.int64], values: Floats) -> float:
    """Return the mean over people of the means of their values, both (G,)."""
    counts = np.bincount(people)
    sums = np.bincount(people, values)
    return float(np.mean(sums[counts > 0] / counts[counts > 0]))


def _sigmoid(compared: _Compared, people: int) -> Sigmoid:
    """Return Platt's sigmoid, fitted where one of `people` matches; that of no evidence if none fits."""
    own = np.floor(compared.own / compared.step)
    different = np.flatnonzero(compared.nearest[0])
    counts = compared.nearest[0][different] * people * (people - 1) / 2
    distances = (np.concatenate([own, different]) + 0.5) * compared.step
    same = np.arange(len(distances)) < len(own)
    fitted = fit_sigmoid(
        distances, same, counts=np.concatenate([np.ones(len(own)), counts]), different=people
    )
    return fitted if fitted.slope > 0 else Sigmoid(0.0, 0.0)

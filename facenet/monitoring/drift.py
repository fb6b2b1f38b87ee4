"""Compare a day's rows of several quantities with a reference, with one alarm rate for all of them."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
import numpy.typing as npt

from facenet.monitoring.check import Check
from facenet.monitoring.ks import ks, weighted_ks
from facenet.monitoring.mmd import Kernel
from facenet.monitoring.psi import psi, weighted_psi
from facenet.monitoring.weights import Floats, resampled_weights

JOINT = "all of them"  # the name of the check of all quantities at once
TAIL = 20  # draws beyond the level, so that it is known within a quarter
CHUNK = 500  # draws in memory at once
MAX_ROWS = 2000  # of a day: with more, changes that matter to nobody become significant
Least = Mapping[str, float]
# Changes below these are no alarm, however many rows prove them.
LEAST: Least = {"ks": 0.1, "psi": 0.1, "mmd": 0.0}


def compare(
    names: Sequence[str],
    reference: npt.ArrayLike,
    day: npt.ArrayLike,
    *,
    rate: float,
    seed: int,
    least_rows: int,
    least: Least = LEAST,
) -> list[Check]:
    """Return for each quantity KS and PSI, and MMD for all at once, each with its alarm level.

    The levels come from pairs of bootstrap samples of the reference, as large as reference and day. KS, and
    the square roots of PSI and MMD, are standardised by their draws, and the level is what the largest of all
    exceeds in a fraction `rate` of the draws (P. H. Westfall and S. S. Young, Resampling-Based Multiple
    Testing, 1993, the max-T procedure): dependent quantities share the rate without being counted twice.
    Levels are at least those of `least`.

    Args:
        names: of the Q quantities.
        reference: (M, Q), without NaN.
        day: (N, Q), without NaN; `MAX_ROWS` of more are drawn.
        rate: of false alarms, over all checks together.
        seed: of the draws.
        least_rows: with fewer rows in day or reference all checks say "too few".
        least: changes of ks, psi and mmd that matter.
    """
    rows, today = np.asarray(reference, np.float64), np.asarray(day, np.float64)
    kinds = [(name, kind) for name in names for kind in ("ks", "psi")]
    kinds += [(JOINT, "mmd")] if len(names) > 1 else []
    if min(len(rows), len(today)) < least_rows:
        sizes = {"rows": len(today), "reference_rows": len(rows)}
        return [Check(name=name, statistic=kind, verdict="too few", **sizes) for name, kind in kinds]
    rng = np.random.default_rng(seed)
    if len(today) > MAX_ROWS:
        today = today[np.sort(rng.choice(len(today), MAX_ROWS, replace=False))]
    kernel = Kernel(rows) if len(names) > 1 else None
    levels = alarm_levels(_drawn(rows, len(today), kernel, ceil(TAIL / rate), rng), rate)
    medians = {name: (np.median(rows[:, n]), np.median(today[:, n])) for n, name in enumerate(names)}
    return [
        _check(
            name,
            kind,
            value,
            max(level, _scaled(kind, least[kind])),
            medians.get(name),
            (len(today), len(rows)),
        )
        for (name, kind), value, level in zip(kinds, _values(rows, today, kernel), levels, strict=True)
    ]


def _scaled(kind: str, value: float) -> float:
    """Return a statistic as its levels are computed: of PSI and MMD the square root."""
    return value if kind == "ks" else float(np.sqrt(value))


def _check(
    name: str,
    kind: str,
    value: float,
    level: float,
    medians: tuple[np.floating, np.floating] | None,
    sizes: tuple[int, int],
) -> Check:
    if kind != "ks":
        value, level = value**2, level**2
    usual, found = (None, None) if medians is None else map(float, medians)
    return Check(
        name=name,
        statistic=kind,
        verdict="alarm" if value > level else "ok",
        rows=sizes[0],
        reference_rows=sizes[1],
        value=float(value),
        level=float(level),
        usual=usual,
        found=found,
    )


def alarm_levels(drawn: Floats, rate: float) -> Floats:
    """Return the (K,) levels that any of K statistics exceeds in a fraction `rate` of (B, K) draws."""
    centre, spread = drawn.mean(axis=0), drawn.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    largest = ((drawn - centre) / scale).max(axis=1)
    bound = float(np.quantile(largest, 1 - rate, method="higher"))
    levels: Floats = centre + bound * scale
    return levels


def _drawn(rows: Floats, size: int, kernel: Kernel | None, draws: int, rng: np.random.Generator) -> Floats:
    """Return the (draws, K) statistics of pairs of bootstrap samples; of PSI and MMD the square roots."""
    blocks = []
    for start in range(0, draws, CHUNK):
        count = min(CHUNK, draws - start)
        first = resampled_weights(len(rows), len(rows), count, rng)
        second = resampled_weights(len(rows), size, count, rng)
        found = []
        for values in rows.T:
            found.append(weighted_ks(values, first - second))
            found.append(np.sqrt(weighted_psi(values, first, second, (len(rows), size))))
        if kernel is not None:
            found.append(np.sqrt(kernel.weighted(first - second)))
        blocks.append(np.stack(found, axis=1))
    return np.concatenate(blocks)


def _values(rows: Floats, today: Floats, kernel: Kernel | None) -> Floats:
    found = []
    for usual, new in zip(rows.T, today.T, strict=True):
        found += [ks(usual, new), np.sqrt(psi(usual, new))]
    if kernel is not None:
        found.append(np.sqrt(kernel.squared_mmd(today)))
    return np.array(found)

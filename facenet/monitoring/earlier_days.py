"""Compare a day's shares, scores and times with those of earlier days."""

import numpy as np
import numpy.typing as npt
from scipy.stats import fisher_exact, ks_2samp, mannwhitneyu

from facenet.monitoring.check import Check, Verdict
from facenet.monitoring.ks import ks

LEAST_KS = 0.1  # smaller changes of a distribution are no alarm, however many rows prove them
LEAST_RATIO = 2.0  # of medians


def compare_shares(
    name: str, day: tuple[int, int], usual: tuple[int, int], *, rate: float, least: float, least_rows: int
) -> Check:
    """Return whether a share has changed: by Fisher's exact test at `rate`, and by more than `least`.

    Args:
        name: of the check.
        day: (count, rows) of the day.
        usual: (count, rows) compared with.
        rate: of false alarms of this check.
        least: smaller changes of the share are no alarm.
        least_rows: with fewer rows on either side there is no test.
    """
    (count, rows), (usual_count, usual_rows) = day, usual
    if short := _short(rows, usual_rows, least_rows):
        return Check(name=name, statistic="share", verdict=short, rows=rows, reference_rows=usual_rows)
    found, expected = count / rows, usual_count / usual_rows
    p = float(fisher_exact([[count, rows - count], [usual_count, usual_rows - usual_count]])[1])
    return Check(
        name=name,
        statistic="share",
        verdict="alarm" if p < rate and abs(found - expected) > least else "ok",
        rows=rows,
        reference_rows=usual_rows,
        value=abs(found - expected),
        level=least,
        p=p,
        usual=expected,
        found=found,
    )


def compare_distributions(
    name: str, day: npt.ArrayLike, usual: npt.ArrayLike, *, rate: float, least_rows: int
) -> Check:
    """Return whether a distribution has changed: by the two-sample KS test at `rate`, and by `LEAST_KS`."""
    today, before = np.asarray(day, np.float64), np.asarray(usual, np.float64)
    sizes = len(today), len(before)
    if short := _short(*sizes, least_rows):
        return Check(name=name, statistic="ks", verdict=short, rows=sizes[0], reference_rows=sizes[1])
    value, p = ks(before, today), float(ks_2samp(before, today).pvalue)
    alarm = p < rate and value > LEAST_KS
    return _compared(name, "ks", today, before, value=value, level=LEAST_KS, p=p, alarm=alarm)


def compare_medians(
    name: str, day: npt.ArrayLike, usual: npt.ArrayLike, *, rate: float, least_rows: int
) -> Check:
    """Return whether values above 0 have grown: by the U test at `rate`, and `LEAST_RATIO` times.

    H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18, 1947.
    """
    today, before = np.asarray(day, np.float64), np.asarray(usual, np.float64)
    sizes = len(today), len(before)
    if short := _short(*sizes, least_rows):
        return Check(name=name, statistic="ratio", verdict=short, rows=sizes[0], reference_rows=sizes[1])
    middle = float(np.median(before))
    value = float(np.median(today)) / middle if middle > 0 else 1.0
    p = float(mannwhitneyu(today, before, alternative="greater").pvalue)
    alarm = p < rate and value > LEAST_RATIO
    return _compared(name, "ratio", today, before, value=value, level=LEAST_RATIO, p=p, alarm=alarm)


def _short(rows: int, usual_rows: int, least: int) -> Verdict | None:
    """Return why there are not enough rows, if so."""
    if rows >= least and not usual_rows:
        return "no reference"
    return "too few" if min(rows, usual_rows) < least else None


def _compared(
    name: str,
    statistic: str,
    today: npt.NDArray[np.float64],
    before: npt.NDArray[np.float64],
    *,
    value: float,
    level: float,
    p: float,
    alarm: bool,
) -> Check:
    return Check(
        name=name,
        statistic=statistic,
        verdict="alarm" if alarm else "ok",
        rows=len(today),
        reference_rows=len(before),
        value=value,
        level=level,
        p=p,
        usual=float(np.median(before)),
        found=float(np.median(today)),
    )

"""An answer among the distances of the evaluation: histogram, probability, threshold."""

from dataclasses import dataclass

import numpy as np

from facenet.evaluation.histogram import Histogram
from facenet.matching import Matcher

WIDTH, HEIGHT = 600, 200
POINTS = 101


@dataclass(frozen=True)
class Bar:
    """A bar of the histogram, from its top left corner. same: of pairs of one person."""

    x: float
    y: float
    width: float
    height: float
    same: bool


@dataclass(frozen=True)
class Chart:
    """Coordinates in an SVG of WIDTH x HEIGHT. curve: of a polyline. longest: distance at its right end.

    distance: of an answer; None without one.
    bars: each class of pairs on its own scale; none for a calibration without a histogram.
    """

    curve: str
    threshold: float
    distance: float | None
    longest: float
    bars: tuple[Bar, ...]


def chart_of(matcher: Matcher, threshold: float, distance: float | None = None) -> Chart:
    """Return the chart of an answer, from distance 0 to past threshold, answer and all evaluated pairs.

    Without a distance it shows the evaluation alone.
    """
    furthest = max(threshold, distance or 0.0)
    longest = 1.1 * max(2 * threshold, furthest)
    if matcher.histogram is not None:
        evaluated = matcher.histogram.width * len(matcher.histogram.same)
        longest = max(evaluated, 1.1 * furthest)
    places = np.linspace(0, longest, POINTS)
    heights = HEIGHT * (1 - matcher.probability(places))
    points = zip(places / longest * WIDTH, heights, strict=True)
    return Chart(
        curve=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        threshold=round(threshold / longest * WIDTH, 1),
        distance=None if distance is None else round(distance / longest * WIDTH, 1),
        longest=longest,
        bars=() if matcher.histogram is None else _bars(matcher.histogram, longest),
    )


def _bars(histogram: Histogram, longest: float) -> tuple[Bar, ...]:
    width = histogram.width / longest * WIDTH
    found = []
    for counts, same in ((histogram.different, False), (histogram.same, True)):
        highest = max(counts) or 1
        for number, count in enumerate(counts):
            height = round(0.95 * HEIGHT * count / highest, 1)
            if height:
                x = round(number * width, 1)
                found.append(Bar(x, round(HEIGHT - height, 1), round(width, 1), height, same))
    return tuple(found)

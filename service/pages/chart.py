"""The curve of probability against distance, with the threshold and the answer."""

from dataclasses import dataclass

import numpy as np

from facenet.matching import Matcher

WIDTH, HEIGHT = 600, 200
POINTS = 101


@dataclass(frozen=True)
class Chart:
    """Coordinates in an SVG of WIDTH x HEIGHT. curve: of a polyline. longest: distance at its right end."""

    curve: str
    threshold: float
    distance: float
    longest: float


def chart_of(matcher: Matcher, threshold: float, distance: float) -> Chart:
    """Return the chart of an answer, from distance 0 to well past threshold and answer."""
    longest = 1.1 * max(2 * threshold, distance)
    places = np.linspace(0, longest, POINTS)
    heights = HEIGHT * (1 - matcher.probability(places))
    points = zip(places / longest * WIDTH, heights, strict=True)
    return Chart(
        curve=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        threshold=round(threshold / longest * WIDTH, 1),
        distance=round(distance / longest * WIDTH, 1),
        longest=longest,
    )

"""Number types for argparse; its errors name option, value and range."""

import argparse
import math
from collections.abc import Callable


def number_between(
    low: float, high: float | None, *, exclusive: bool = False, whole: bool = False
) -> Callable[[str], float]:
    """Return an argparse type for finite numbers from `low` to `high`; None means no upper limit.

    exclusive: the limits themselves are not allowed. whole: only integers, returned as int.
    """
    kind = "a whole number" if whole else "a number"
    span = f"of at least {low:g}" if high is None else f"from {low:g} to {high:g}"
    if exclusive:
        span = f"above {low:g}" if high is None else f"between {low:g} and {high:g}, both excluded"

    def parse(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        above = low < value if exclusive else low <= value
        below = value < math.inf if high is None else (value < high if exclusive else value <= high)
        if not (above and below):
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind} {span}")
        return value

    return parse

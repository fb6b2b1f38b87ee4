"""The probability of a match as a function of the distance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.errors import ParamsInvalid
from facenet.evaluation.distances import Floats


@dataclass(frozen=True)
class Sigmoid:
    """The log odds of a match at even prior odds: intercept - slope * distance."""

    slope: float
    intercept: float

    def probability(self, distances: npt.ArrayLike, prior: float = 0.5) -> Floats:
        """Return the probability of a match at each distance; `prior`: the expected fraction of matches.

        Raises:
            ParamsInvalid: `prior` is not above 0 and below 1.
        """
        if not 0 < prior < 1:
            raise ParamsInvalid(f"prior is {prior!r}: a fraction of matches above 0 and below 1 is required.")
        odds = self.intercept - self.slope * np.asarray(distances, np.float64)
        odds = odds + np.log(prior) - np.log1p(-prior)
        return np.asarray((1 + np.tanh(odds / 2)) / 2, np.float64)  # logistic function, cannot overflow

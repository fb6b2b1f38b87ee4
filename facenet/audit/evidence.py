"""The probability that a suspicion is right, learnt from errors planted into the audited faces themselves.

How similar two photos of one person are depends on the network and on the photos. Errors that are planted
into a copy of the data have the similarities that real ones would have: a logistic model of planted and other
cases gives the weight of evidence, and how many of the real cases are errors follows from all their evidence.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

LEAST_PLANTED = 20  # cases that a model is fitted to
CLEAN = 1.5  # cases with more weight of evidence are not used as correct ones
ROUNDS = 100
Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Evidence:
    """Weight of evidence, linear in the features: log f(features | error) / f(features | correct)."""

    weights: tuple[float, ...]
    constant: float

    @classmethod
    def fitted(cls, planted: Array, others: Array, default: Self, *, fraction: float = 0.5) -> Self:
        """Return the model of planted errors (n, F) and other cases (m, F); default: for too few of either.

        Cases that the model takes for errors are left out of the others, and it is fitted again.

        fraction: of errors in the fit, by weights that the constant makes up for. The line that is fitted is
            only near the true ratio of likelihoods. With few errors it is nearest among the doubtful cases
            of data with few errors.
        """
        if min(len(planted), len(others)) < LEAST_PLANTED:
            return default
        model = default
        for _ in range(3):  # the first round leaves out what the default model finds
            clean = others[model.weigh(others) < CLEAN]
            if len(clean) < LEAST_PLANTED:
                return default
            weight = len(clean) + len(planted)
            classes = {0: (1 - fraction) * weight / len(clean), 1: fraction * weight / len(planted)}
            fit = LogisticRegression(C=100.0, class_weight=classes, max_iter=1000).fit(
                np.concatenate([clean, planted]), np.repeat([0, 1], [len(clean), len(planted)])
            )
            constant = float(fit.intercept_[0]) - np.log(fraction / (1 - fraction))
            model = cls(tuple(map(float, fit.coef_[0])), float(constant))
        return model

    def weigh(self, features: Array) -> Array:
        """Return the weight of evidence (n,) of features (n, F)."""
        return np.asarray(features @ np.array(self.weights) + self.constant, np.float64)

    def probabilities(self, features: Array, *, prior: float) -> Array:
        """Return for each case (n, F) the probability that it is an error.

        The fraction of errors is estimated from all cases by expectation-maximisation, and is at least
        `prior`, because that of few errors cannot be estimated.
        """
        weights, fraction = self.weigh(features), prior
        for _ in range(ROUNDS):
            found = _logistic(weights + np.log(fraction / (1 - fraction)))
            fraction = float(np.clip(found.mean() if len(found) else 0, prior, 0.5))
        return _logistic(weights + np.log(fraction / (1 - fraction)))


def _logistic(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -500, 500))))

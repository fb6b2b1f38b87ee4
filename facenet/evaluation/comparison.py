"""Two models on the same pairs: a difference is judged pair by pair, which cancels what is hard for both."""

from dataclasses import dataclass

from scipy.special import bdtr

from facenet.evaluation.bootstrap import Codes, bootstrap, percentile_interval, weighted_accuracy
from facenet.evaluation.thresholds import Flags
from facenet.evaluation.uncertainty import Interval


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How two models differ on P pairs.

    difference: accuracy of the new one less that of the old one, with its 95 % interval over people.
    only_new, only_old: pairs that one of them alone decides right. p_value: McNemar's exact test, two-sided.
    """

    pairs: int
    difference: float
    interval: Interval
    only_new: int
    only_old: int
    p_value: float

    def in_words(self) -> str:
        """Return the comparison in a phrase."""
        low, high = self.interval
        return (
            f"on {self.pairs} pairs in common accuracy differs by {self.difference:+.4f} "
            f"({low:+.4f} to {high:+.4f}), McNemar p {self.p_value:.2g}"
        )


def compare(
    new: Flags, old: Flags, same: Flags, left: Codes, right: Codes, *, draws: int = 1000, seed: int = 0
) -> Comparison:
    """Return the comparison of two models.

    Args:
        new: (P,) whether the new model decides each pair right.
        old: (P,) whether the old one does.
        same: (P,) whether a pair is one person.
        left: (P,) number of the person of the one photo of each pair.
        right: (P,) of the other.
        draws: of the bootstrap over people.
        seed: of the bootstrap.
    """
    drawn = bootstrap(
        lambda weights: weighted_accuracy(weights, new, same) - weighted_accuracy(weights, old, same),
        left,
        right,
        draws=draws,
        seed=seed,
    )
    only_new, only_old = int((new & ~old).sum()), int((old & ~new).sum())
    return Comparison(
        pairs=len(same),
        difference=float(new.mean() - old.mean()),
        interval=percentile_interval(drawn),
        only_new=only_new,
        only_old=only_old,
        p_value=mcnemar(only_new, only_old),
    )


def mcnemar(one: int, other: int) -> float:
    """Return the two-sided exact p-value of McNemar's test (Psychometrika 12, 1947) for discordant counts.

    1 if no pair is decided differently.
    """
    return float(min(1.0, 2 * bdtr(min(one, other), one + other, 0.5))) if one + other else 1.0

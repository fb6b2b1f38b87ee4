"""Paired comparison of two models on the same pairs, which cancels the difficulty of the pairs."""

from dataclasses import dataclass

from scipy.special import bdtr

from facenet.evaluation.bootstrap import Codes, bootstrap, percentile_interval, weighted_accuracy
from facenet.evaluation.thresholds import Flags
from facenet.evaluation.uncertainty import Interval


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How two models differ on P pairs.

    difference: accuracy of the new model minus that of the old one, with its 95 % interval over people.
    only_new, only_old: pairs that only this model decides correctly. p_value: McNemar's exact two-sided test.
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
            f"on {self.pairs} common pairs accuracy differs by {self.difference:+.4f} "
            f"({low:+.4f} to {high:+.4f}), McNemar p {self.p_value:.2g}"
        )


def compare(
    new: Flags, old: Flags, same: Flags, left: Codes, right: Codes, *, draws: int = 1000, seed: int = 0
) -> Comparison:
    """Return the comparison of two models.

    Args:
        new: (P,) whether the new model decides each pair correctly.
        old: (P,) whether the old one does.
        same: (P,) whether a pair shows the same person.
        left: (P,) number of the person in the left photo of each pair.
        right: (P,) the same for the right photo.
        draws: of the bootstrap over people.
        seed: of the bootstrap.
    """
    differences = bootstrap(
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
        interval=percentile_interval(differences),
        only_new=only_new,
        only_old=only_old,
        p_value=mcnemar(only_new, only_old),
    )


def mcnemar(first: int, second: int) -> float:
    """Return the two-sided exact p-value of McNemar's test (Psychometrika 12, 1947) for discordant counts.

    1 if both counts are 0.
    """
    return float(min(1.0, 2 * bdtr(min(first, second), first + second, 0.5))) if first + second else 1.0

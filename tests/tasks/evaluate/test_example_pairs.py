"""The selection of pairs to show."""

import numpy as np

from facenet.evaluation.protocol import Verification
from facenet.evaluation.roc import Curve
from tasks.evaluate.example_pairs import SHOWN, correct_examples, worst_errors


def result(distances: list[float], threshold: float) -> Verification:
    return Verification(
        folds=(),
        distances=np.array(distances),
        thresholds=np.where(np.isnan(distances), np.nan, threshold),
        curve=Curve(np.zeros(1), np.zeros(1)),
    )


DISTANCES = [0.9, 0.2, 1.1, 0.5, 1.0, 1.9, 0.1, np.nan, np.nan]
SAME = np.array([False, False, False, True, True, True, False, False, True])


def test_worst_errors_come_first() -> None:
    assert worst_errors(result(DISTANCES, 1.0), SAME) == ([6, 1, 0], [5, 4])


def test_all_correct_decisions_are_shown_if_they_are_few() -> None:
    assert correct_examples(result(DISTANCES, 1.0), SAME) == ([3], [2])


def test_at_most_six_errors_per_kind() -> None:
    accepts, rejects = worst_errors(result([0.01 * n for n in range(20)], 1.0), np.zeros(20, bool))
    assert (accepts, rejects) == ([0, 1, 2, 3, 4, 5], [])


def test_correct_examples_are_at_equal_steps_from_the_shortest_to_the_longest_distance() -> None:
    random = np.random.default_rng(0)
    distances = random.permutation(np.linspace(0.1, 1.9, 202))
    same = distances < 1
    same[[np.argmin(distances), np.argmax(distances)]] ^= True  # one error of each kind
    accepts, rejects = correct_examples(result(distances.tolist(), 1.0), same)
    for rows, correct in ((accepts, same & (distances < 1)), (rejects, ~same & (distances >= 1))):
        ordered = sorted(np.flatnonzero(correct), key=lambda row: distances[row])
        assert len(ordered) == 100
        assert [ordered.index(row) for row in rows] == [0, 19, 39, 59, 79, 99]


def test_seven_correct_decisions_are_sampled_without_repetition() -> None:
    accepts, _ = correct_examples(result([0.1 * n for n in range(7)], 1.0), np.ones(7, bool))
    assert len(set(accepts)) == SHOWN
    assert (accepts[0], accepts[-1]) == (0, 6)

"""The rule depends on the classes of the threshold pairs."""

import numpy as np
import pytest

from facenet.evaluation.threshold_rule import threshold_rule


@pytest.mark.parametrize(
    ("same", "different", "rule"),
    [
        (0, 0, "max_accuracy"),  # View 2: no pairs of fold -1
        (1100, 1100, "max_accuracy"),  # View 1, none of its people trained on
        (100, 200, "max_accuracy"),
        (99, 201, "equal_prior"),
        (84, 598, "equal_prior"),  # View 1 without the people trained on
        (598, 84, "equal_prior"),
    ],
)
def test_the_classes_of_the_threshold_pairs_decide(same: int, different: int, rule: str) -> None:
    classes = np.array([True] * same + [False] * different + [True] * 50)
    folds = np.array([-1] * (same + different) + [0] * 50)
    assert threshold_rule(classes, folds) == rule

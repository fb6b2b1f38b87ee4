import numpy as np
import pytest

from facenet.evaluation.closed_set import closed_set


def test_macro_averages_by_hand() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 1, 1, 3, 0])
    found = closed_set(truth, predicted)
    precisions, recalls = [2 / 3, 1 / 2, 0, 0], [2 / 3, 1 / 2, 0, 0]
    assert found.accuracy == 3 / 6
    assert found.precision == pytest.approx(sum(precisions) / 4)
    assert found.recall == pytest.approx(sum(recalls) / 4)
    assert found.f1 == pytest.approx((2 / 3 + 1 / 2) / 4)
    assert found.people.tolist() == [0, 1, 2, 3]
    assert found.confusion.tolist() == [[2, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_the_most_confused_people_in_either_direction() -> None:
    truth = np.array([5, 5, 6, 7, 7, 8, 9])
    predicted = np.array([6, 6, 5, 8, 8, 8, 9])
    found = closed_set(truth, predicted, people=3)
    assert found.people.tolist() == [5, 6]  # 7 and 8 would make four
    assert found.confusion.tolist() == [[0, 2], [1, 0]]
    assert closed_set(truth, predicted, people=4).people.tolist() == [5, 6, 7, 8]


def test_without_an_error_nobody_is_confused() -> None:
    labels = np.arange(5)
    found = closed_set(labels, labels)
    assert (found.accuracy, found.precision, found.recall, found.f1) == (1, 1, 1, 1)
    assert found.confusion.shape == (0, 0)


def test_no_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="no photos"):
        closed_set(np.empty(0, np.int64), np.empty(0, np.int64))

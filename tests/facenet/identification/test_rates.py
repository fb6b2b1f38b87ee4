"""Rates by hand, and the rejection threshold over many samples."""

import numpy as np
import pytest

from facenet.evaluation.uncertainty import wilson_interval
from facenet.identification.rates import open_set, rank_rate, rejection_threshold


def test_ranks_by_hand() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])
    labels = np.array([0, 1, 2])
    assert [rank_rate(scores, labels, rank) for rank in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])


def test_ties_count_against_the_label() -> None:
    assert rank_rate(np.ones((4, 3)), np.array([0, 1, 2, 0]), 1) == 0
    assert rank_rate(np.ones((4, 3)), np.array([0, 1, 2, 0]), 3) == 1


def test_open_set_by_hand() -> None:
    known = np.array([[0.9, 0.2], [0.3, 0.8], [0.7, 0.6], [0.4, 0.1]])
    strangers = np.array([[0.6, 0.1], [0.2, 0.3], [0.1, 0.1], [0.5, 0.45]])
    result = open_set(known, np.array([0, 1, 1, 0]), strangers, 0.5)
    assert (result.tpir, result.probes) == (0.5, 4)  # one is misidentified, one is rejected
    assert (result.fpir, result.strangers) == (0.25, 4)
    assert result.fpir_interval == pytest.approx(wilson_interval(1, 4))
    assert result.tpir_interval == pytest.approx(wilson_interval(1, 2))  # 2 of 4 probes, of two people


def test_many_probes_of_few_unknown_people_are_few_trials() -> None:
    known, strangers = np.ones((2, 2)), np.zeros((600, 2))
    result = open_set(known, np.array([0, 1]), strangers, 0.5, unknown_people=3)
    assert (result.fpir, result.strangers) == (0, 600)
    assert result.fpir_interval == pytest.approx(wilson_interval(0, 3))


@pytest.mark.parametrize("fpir", [0.02, 0.1, 0.3])
def test_threshold_meets_the_rate_on_average(fpir: float) -> None:
    random, rates = np.random.default_rng(1), []
    for _ in range(400):
        threshold = rejection_threshold(random.normal(size=(99, 3)), fpir)
        rates.append((random.normal(size=(200, 3)).max(axis=1) > threshold).mean())
    assert np.mean(rates) == pytest.approx(fpir, rel=0.15)


def test_too_few_unknown_people_reject_everyone() -> None:
    assert rejection_threshold(np.ones((50, 2)), 0.01) == float("inf")
    assert rejection_threshold(np.array([[1.0], [2.0]]), 1 / 3) == 2

import numpy as np
import numpy.typing as npt
import pytest

from facenet.audit.evidence import Evidence

Array = npt.NDArray[np.floating]

DEFAULT = Evidence((1.0,), 0.0)


def normal(count: int, mean: float, seed: int) -> Array:
    return np.random.default_rng(seed).normal(mean, 1, (count, 1))


def test_the_weight_of_evidence_is_the_log_likelihood_ratio() -> None:
    found = Evidence.fitted(normal(4000, 2, 0), normal(40000, -2, 1), Evidence((0.0,), 0.0))
    assert found.weights[0] == pytest.approx(4, rel=0.35)  # (2 - -2) / 1, more without the doubtful cases
    assert found.constant == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("fraction", [0.5, 0.01])
def test_rare_errors_are_found_whatever_the_fraction_in_the_fit(fraction: float) -> None:
    model = Evidence.fitted(normal(2000, 3, 0), normal(40000, -3, 1), DEFAULT, fraction=fraction)
    assert abs(float(model.weigh(np.array([[0.0]]))[0])) < 3  # it is 0, and 3 half a standard deviation away
    cases, wrong = np.concatenate([normal(9950, -3, 2), normal(50, 3, 3)]), np.arange(10000) >= 9950
    found = model.probabilities(cases, prior=0.002) >= 0.5
    assert found[wrong].mean() > 0.9
    assert wrong[found].mean() > 0.9


def test_real_errors_among_the_others_are_left_out() -> None:
    clean = normal(20000, -3, 1)
    spoilt = np.concatenate([clean, normal(400, 3, 2)])
    planted = normal(2000, 3, 0)
    reference, found = (Evidence.fitted(planted, others, DEFAULT) for others in (clean, spoilt))
    assert found.weights[0] == pytest.approx(reference.weights[0], rel=0.35)


def test_probabilities_are_calibrated_and_the_fraction_is_estimated() -> None:
    correct, errors = normal(9000, -1, 3), normal(1000, 1, 4)
    cases, wrong = np.concatenate([correct, errors]), np.repeat([False, True], [9000, 1000])
    probable = Evidence((2.0,), 0.0).probabilities(cases, prior=0.001)
    assert probable.mean() == pytest.approx(0.1, abs=0.01)
    for low, high in ((0, 0.1), (0.1, 0.4), (0.4, 0.8), (0.8, 1)):
        bin_ = (probable >= low) & (probable < high)
        assert wrong[bin_].mean() == pytest.approx(probable[bin_].mean(), abs=0.05)


def test_without_errors_the_fraction_is_the_prior() -> None:
    probable = Evidence((5.0,), 0.0).probabilities(np.full((1000, 1), -3.0), prior=0.01)
    assert probable[0] == pytest.approx(0.01 / 0.99 * np.exp(-15), rel=1e-3)
    assert Evidence((5.0,), 0.0).probabilities(np.empty((0, 1)), prior=0.01).shape == (0,)


def test_too_few_examples_leave_the_default() -> None:
    assert Evidence.fitted(normal(19, 1, 0), normal(100, -1, 1), DEFAULT) is DEFAULT
    assert Evidence.fitted(normal(30, 1, 0), normal(100, 9, 1), DEFAULT) is DEFAULT  # all look like errors

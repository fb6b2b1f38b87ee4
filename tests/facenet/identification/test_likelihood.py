"""The gradient, the generating ratio, and what the fit does where it cannot learn."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from facenet.evaluation.distances import unit_rows
from facenet.evaluation.sigmoid import Sigmoid
from facenet.identification import likelihood
from facenet.identification.likelihood import fit_likelihood
from facenet.identification.probes import choose_probes

Rows = np.ndarray
START = Sigmoid(8.0, 2.0)


def people(count: int, *, seed: int, scale: float = 0.6) -> tuple[Rows, list[str]]:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 1, 24)) + random.normal(scale=scale, size=(count, 2, 24))
    return unit_rows(rows.reshape(-1, 24)), [f"P{row // 2:04d}" for row in range(2 * count)]


def test_the_gradient_is_that_of_the_cross_entropy() -> None:
    rows, names = people(40, seed=0)
    trial = likelihood._trial(rows, choose_probes(names, 0), "cosine", START, np.arange(20))
    assert trial is not None
    for at in ([1.0, 0.0], [1.4, -0.7], [0.6, 1.2]):
        error = check_grad(
            lambda x: likelihood._cross_entropy(trial, *x)[0],
            lambda x: likelihood._cross_entropy(trial, *x)[1],
            np.array(at),
        )
        assert error < 1e-5


def test_the_cross_entropy_by_a_loop() -> None:
    rows, names = people(30, seed=1)
    probes, gallery = choose_probes(names, 0), np.arange(12)
    trial = likelihood._trial(rows, probes, "cosine", START, gallery)
    assert trial is not None
    logs: dict[bool, list[float]] = {True: [], False: []}
    for row, person in zip(probes.rows, probes.people, strict=True):
        distances = 1 - rows[row] @ rows[probes.enrolled[gallery]].T
        weights = [*(0.5 / 12 * np.exp(1.2 * (2 - 8 * distances) + 0.3)), 0.5]
        truth = int(person) if person < 12 else 12
        logs[person < 12].append(-np.log(weights[truth] / sum(weights)))
    expected = 0.5 * np.mean(logs[True]) + 0.5 * np.mean(logs[False])
    assert likelihood._cross_entropy(trial, 1.2, 0.3)[0] == pytest.approx(expected, rel=1e-5)


def test_answers_for_other_people_are_likelier_than_with_the_start() -> None:
    fitted = fit_likelihood(*_set(people(300, seed=2)), "cosine", START, seed=0)
    rows, probes = _set(people(300, seed=3))
    values = []
    for sigmoid in (START, fitted):
        trial = likelihood._trial(rows, probes, "cosine", sigmoid, np.arange(150))
        assert trial is not None
        values.append(likelihood._cross_entropy(trial, 1.0, 0.0)[0])
    assert values[1] < 0.8 * values[0]


def test_the_same_seed_gives_the_same_fit() -> None:
    rows, probes = _set(people(60, seed=2))
    first = fit_likelihood(rows, probes, "cosine", START, seed=4)
    assert fit_likelihood(rows, probes, "cosine", START, seed=4) == first
    assert fit_likelihood(rows, probes, "cosine", START, seed=5) != first


def test_separable_people_have_a_finite_slope() -> None:
    fitted = fit_likelihood(*_set(people(40, seed=0, scale=0.01)), "cosine", START, seed=0)
    assert 0 < fitted.slope < 200


def test_too_few_people_keep_the_start() -> None:
    rows, names = people(1, seed=0)
    assert fit_likelihood(rows, choose_probes(names, 0), "cosine", START, seed=0) == START


def _set(found: tuple[Rows, list[str]]) -> tuple[Rows, likelihood.Probes]:
    rows, names = found
    return rows, choose_probes(names, 0)

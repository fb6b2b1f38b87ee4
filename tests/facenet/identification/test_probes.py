"""The choice of enrolled photos and probes."""

import numpy as np
import pytest

from facenet.identification.probes import choose_probes

NAMES = [f"P{person}" for person in range(9) for _ in range(1 + person % 3)]


def test_everyone_is_enrolled_once_and_probed_with_the_other_photos() -> None:
    chosen = choose_probes(NAMES, seed=3)
    assert [NAMES[row] for row in chosen.enrolled] == sorted(set(NAMES))
    assert [NAMES[row] for row in chosen.rows] == [f"P{person}" for person in chosen.people]
    single = [NAMES.count(f"P{person}") == 1 for person in chosen.people]
    assert (chosen.genuine == ~np.array(single)).all()
    assert not set(chosen.rows[chosen.genuine]) & set(chosen.enrolled)
    assert set(chosen.rows) | set(chosen.enrolled) == set(range(len(NAMES)))
    assert np.bincount(chosen.people, chosen.shares) == pytest.approx(1 / 9)


def test_many_people_have_few_probes_each() -> None:
    chosen = choose_probes(["a"] * 50 + ["b"] * 50, seed=0, probes=10)
    assert np.bincount(chosen.people).tolist() == [5, 5]


def test_the_order_of_people_does_not_matter() -> None:
    order = np.argsort([name[::-1] for name in NAMES], kind="stable")
    moved = choose_probes([NAMES[row] for row in order], seed=3)
    assert sorted(order[moved.enrolled]) == sorted(choose_probes(NAMES, seed=3).enrolled)
    assert sorted(choose_probes(NAMES, seed=4).enrolled) != sorted(choose_probes(NAMES, seed=3).enrolled)

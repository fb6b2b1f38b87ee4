import numpy as np
import pytest

from facenet.audit import Findings, audit, steps
from facenet.errors import SourceInvalid
from tests.facenet.audit.people import people

MOVED = (3, 77, 400)


@pytest.fixture(scope="module")
def spoilt() -> "tuple[np.ndarray, np.ndarray]":
    """150 people, of whom p010 has two names, and p020 shares the name of p021."""
    vectors, names = people([8] * 100 + [2] * 50)
    rows = np.flatnonzero(names == "p010")
    names[rows[:4]] = "p010 (2)"
    names[names == "p021"] = "p020"
    for row, name in zip(MOVED, ("p030", "p120", "p031"), strict=True):
        names[row] = name
    return vectors, names


@pytest.fixture(scope="module")
def found(spoilt: "tuple[np.ndarray, np.ndarray]") -> Findings:
    return audit(*spoilt)


def test_faces_under_a_wrong_name_are_found_with_their_own(found: Findings) -> None:
    assert {outlier.face for outlier in found.outliers} >= set(MOVED)
    assert len(found.outliers) <= 6
    suggested = {outlier.face: outlier.suggested for outlier in found.outliers}
    assert [suggested[row] for row in MOVED] == ["p000", "p009", "p050"]
    assert found.outliers[0].probability > 0.9


def test_a_person_under_two_names_is_found(found: Findings) -> None:
    assert [(split.first, split.second) for split in found.splits] == [("p010", "p010 (2)")]


def test_two_people_under_one_name_are_found(
    found: Findings, spoilt: "tuple[np.ndarray, np.ndarray]"
) -> None:
    (merged,) = found.merges
    assert merged.identity == "p020"
    rows = np.flatnonzero(spoilt[1] == "p020")
    assert merged.faces.tolist() in (rows[:8].tolist(), rows[8:].tolist())


def test_clean_faces_raise_hardly_any_suspicion() -> None:
    found = audit(*people([8] * 100 + [2] * 50, seed=5))
    assert len(found.outliers) <= 2
    assert not found.splits
    assert not found.merges


def test_the_order_of_the_faces_does_not_matter(
    found: Findings, spoilt: "tuple[np.ndarray, np.ndarray]"
) -> None:
    vectors, names = spoilt
    order = np.random.default_rng(9).permutation(len(names))
    shuffled = audit(vectors[order], names[order])
    assert {int(order[outlier.face]) for outlier in shuffled.outliers} >= set(MOVED)
    assert [split.first for split in shuffled.splits] == ["p010"]


def test_too_few_identities_to_learn_from_use_what_was_measured() -> None:
    vectors, names = people([6] * 8)
    names[0] = "p003"
    found = audit(vectors, names)
    assert [outlier.face for outlier in found.outliers] == [0]
    assert found.outliers[0].suggested == "p000"


def test_identities_of_two_faces_are_audited() -> None:
    vectors, names = people([2] * 200)
    names[[0, 3]] = names[[3, 0]]  # p000 and p001 swap a face
    found = audit(vectors, names)
    assert {outlier.identity for outlier in found.outliers[:4]} <= {"p000", "p001"}
    assert found.outliers


def test_progress_adds_up(spoilt: "tuple[np.ndarray, np.ndarray]") -> None:
    ticks: list[int] = []
    audit(*spoilt, tick=ticks.append)
    assert sum(ticks) == steps(len(spoilt[1]))


def test_a_single_identity_is_refused() -> None:
    with pytest.raises(SourceInvalid, match="there are 1"):
        audit(*people([4]))

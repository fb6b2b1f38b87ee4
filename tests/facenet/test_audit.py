"""The audit as a whole: next to cleanlab on the same faces, and what its probabilities are worth."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from facenet.audit import audit
from tests.facenet.audit.people import people

MOVED = 0.08  # fraction of the faces
SPREADS = (1.3, 1.9)  # with 1.9 people are hard to tell apart


def harder(spread: float, seed: int) -> "tuple[np.ndarray, np.ndarray, set[int]]":
    """Return noisier faces of 60 people, their names with errors, and the faces with a wrong one."""
    rng = np.random.default_rng(seed)
    vectors, names = people([10] * 60, seed=seed)
    vectors = vectors + rng.normal(size=vectors.shape) * spread / np.sqrt(2 * vectors.shape[1])
    moved = rng.choice(len(names), round(MOVED * len(names)), replace=False)
    spoilt = names.copy()
    for row in moved:
        spoilt[row] = rng.choice(np.setdiff1d(names, names[row]))
    return vectors.astype(np.float32), spoilt, set(moved.tolist())


def f_score(found: set[int], wrong: set[int]) -> float:
    return 2 * len(found & wrong) / (len(found) + len(wrong))


@pytest.mark.parametrize("spread", SPREADS)
def test_wrong_names_are_found_no_worse_than_by_cleanlab(spread: float) -> None:
    """Cleanlab's confident learning gets out-of-fold probabilities of a logistic regression on the faces."""
    vectors, names, wrong = harder(spread, seed=4)
    labels = np.unique(names, return_inverse=True)[1]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    classifier = LogisticRegression(C=30, max_iter=300)
    probabilities = cross_val_predict(classifier, unit, labels, cv=5, method="predict_proba")
    theirs = set(np.flatnonzero(find_label_issues(labels, probabilities, n_jobs=1)).tolist())
    ours = {outlier.face for outlier in audit(vectors, names).outliers if outlier.probability >= 0.5}
    assert f_score(ours, wrong) >= f_score(theirs, wrong)
    assert len(ours & theirs) >= 0.7 * len(ours)


@pytest.mark.parametrize("spread", SPREADS)
def test_probabilities_are_calibrated(spread: float) -> None:
    """The expected calibration error of what is at least somewhat probable, in five bins."""
    cases = []
    for seed in range(10, 13):
        vectors, names, wrong = harder(spread, seed)
        found = audit(vectors, names, suspicious=0.02).outliers
        cases += [(outlier.probability, outlier.face in wrong) for outlier in found]
    said, right = np.array(cases, float).T
    bins = np.digitize(said, [0.1, 0.3, 0.7, 0.9])
    error = sum(abs((said - right)[bins == number].sum()) for number in range(5)) / len(said)
    assert len(said) > 100
    assert error < 0.1

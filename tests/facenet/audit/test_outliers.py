import numpy as np
import pytest

from facenet.audit import outliers
from facenet.audit.faces import AuditFaces
from facenet.audit.outliers import score_outliers
from tests.facenet.audit.people import people


@pytest.mark.parametrize("block", [2, 2**12])
def test_scores_are_those_of_a_naive_loop(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(outliers, "BLOCK", block)
    faces = AuditFaces.of(*people([5, 1, 2, 9, 4]))
    scores = score_outliers(faces)
    for row, owner in enumerate(faces.owners):
        similar = faces.vectors @ faces.vectors[row]
        own = sorted(np.delete(similar, row)[np.delete(faces.owners, row) == owner])[-3:]
        others = {
            identity: np.mean(sorted(similar[faces.owners == identity])[-3:])
            for identity in (0, 2, 3, 4)
            if identity != owner
        }
        if owner == 1:
            assert np.isnan(scores.own[row])
        else:
            assert scores.own[row] == pytest.approx(np.mean(own), abs=1e-5)
        assert scores.other[row] == pytest.approx(max(others.values()), abs=1e-5)
        assert scores.rival[row] == max(others, key=lambda identity: others[identity])
    np.testing.assert_array_equal(scores.margins[:, 0], scores.other - scores.own)


def test_identities_of_one_face_have_no_rivals() -> None:
    scores = score_outliers(AuditFaces.of(*people([1, 1])))
    assert scores.rival.tolist() == [-1, -1]
    assert scores.other.tolist() == [-1, -1]

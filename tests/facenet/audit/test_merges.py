import numpy as np
import pytest

from facenet.audit import merges
from facenet.audit.faces import AuditFaces
from facenet.audit.merges import score_merges
from tests.facenet.audit.people import people


def test_the_smaller_of_two_people_is_found() -> None:
    vectors, names = people([10, 4, 5, 5])
    names[names == "p001"] = "p000"
    faces = AuditFaces.of(vectors, names)
    found = score_merges(faces)
    assert faces.names[found.identities].tolist() == ["p000"]  # the others have no second part of three
    assert faces.order[found.parts[0]].tolist() == [10, 11, 12, 13]
    small, large = faces.vectors[found.parts[0]], faces.vectors[:10]
    assert found.features[0, 0] == pytest.approx((small @ large.T).mean(), abs=1e-5)
    within = min((part @ part.T)[np.triu_indices(len(part), 1)].mean() for part in (small, large))
    assert found.features[0, 1] == pytest.approx(within, abs=1e-5)
    assert found.features[0, 0] < 0.2 < 0.5 < found.features[0, 1]


def test_a_single_stranger_is_no_second_person() -> None:
    vectors, names = people([10, 8])
    names[10] = "p000"
    faces = AuditFaces.of(vectors, names)
    assert 10 not in faces.order[score_merges(faces).parts[0]]


def test_of_many_faces_some_are_clustered_and_the_others_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merges, "SAMPLED", 20)
    vectors, names = people([60, 40, 5])
    names[names == "p001"] = "p000"
    faces = AuditFaces.of(vectors, names)
    assert faces.order[score_merges(faces).parts[0]].tolist() == list(range(60, 100))


def test_small_identities_are_left_out() -> None:
    assert score_merges(AuditFaces.of(*people([5, 5]))).features.shape == (0, 2)

import numpy as np
import pytest

from facenet.audit.faces import AuditFaces, unit
from facenet.errors import SourceInvalid
from tests.facenet.audit.people import people


def test_faces_are_sorted_by_identity_centred_and_of_unit_length() -> None:
    vectors, names = people([3, 1, 4])
    order = np.random.default_rng(1).permutation(len(names))
    faces = AuditFaces.of(vectors[order], names[order])
    assert faces.names.tolist() == ["p000", "p001", "p002"]
    assert faces.counts.tolist() == [3, 1, 4]
    assert names[order][faces.order].tolist() == faces.names[faces.owners].tolist()
    np.testing.assert_allclose(np.linalg.norm(faces.vectors, axis=1), 1, rtol=1e-5)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = vectors / lengths - (vectors / lengths).mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(faces.vectors, centred[order][faces.order], atol=1e-5)
    np.testing.assert_allclose(faces.sums[1], faces.vectors[faces.rows(1)].sum(axis=0), atol=1e-6)


def test_one_identity_is_refused() -> None:
    with pytest.raises(SourceInvalid, match="An audit compares identities; there are 1"):
        AuditFaces.of(*people([5]))


@pytest.mark.parametrize("value", [np.nan, np.inf, 0])
def test_a_vector_without_a_direction_is_refused(value: float) -> None:
    vectors, _ = people([2, 2])
    vectors[1] = value
    with pytest.raises(SourceInvalid, match="not finite or zero"):
        unit(vectors)

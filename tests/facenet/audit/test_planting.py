import numpy as np

from facenet.audit.faces import AuditFaces
from facenet.audit.planting import plant
from tests.facenet.audit.people import people


def test_every_kind_of_error_is_planted_and_known() -> None:
    faces = AuditFaces.of(*people([8] * 60 + [1] * 20))
    planted = plant(faces, np.random.default_rng(0))
    copy = planted.faces
    original = faces.names[faces.owners][copy.order]
    assert sorted(copy.order.tolist()) == list(range(len(faces.vectors)))
    assert 0 < planted.moved.sum() <= round(0.02 * 500)
    home = {
        identity: set(original[(copy.owners == identity) & ~planted.moved].tolist())
        for identity in range(len(copy.names))
    }
    assert len(planted.halves) == 18
    for first, second in planted.halves:
        assert home[first] & home[second]
    assert len(planted.merged) == 3
    for identity in planted.merged:
        assert len(home[identity]) == 2
    untouched = set(range(len(copy.names))) - set(planted.halves.ravel()) - set(planted.merged)
    assert all(len(home[identity]) <= 1 for identity in untouched)
    for row in np.flatnonzero(planted.moved):
        assert original[row] not in home[int(copy.owners[row])]


def test_a_seed_plants_the_same() -> None:
    faces = AuditFaces.of(*people([6] * 20))
    first, second = (plant(faces, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.faces.order, second.faces.order)
    np.testing.assert_array_equal(first.moved, second.moved)

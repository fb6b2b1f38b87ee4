import numpy as np
import pytest

from facenet.audit.faces import AuditFaces
from facenet.audit.splits import score_splits
from tests.facenet.audit.people import people


def rows(faces: AuditFaces, identity: int) -> range:
    return range(*faces.rows(identity).indices(len(faces.vectors)))


def test_halves_of_a_person_are_nearest_and_lead_by_far() -> None:
    vectors, names = people([8] * 12)
    names[:4] = "half"
    faces = AuditFaces.of(vectors, names)
    splits = score_splits(faces)
    features = dict(zip(map(tuple, splits.pairs.tolist()), splits.features.tolist(), strict=True))
    halves = (int(np.flatnonzero(faces.names == "half")[0]), int(np.flatnonzero(faces.names == "p000")[0]))
    cosine, lead, relation = features.pop(halves)
    centres = [faces.sums[identity] / np.linalg.norm(faces.sums[identity]) for identity in range(13)]
    assert cosine == pytest.approx(float(centres[halves[0]] @ centres[halves[1]]), abs=1e-5)
    second = max(
        sorted(float(centres[half] @ centres[other]) for other in range(13) if other not in halves)[-2]
        for half in halves
    )
    assert lead == pytest.approx(cosine - second, abs=1e-5)
    assert lead > 0.4
    assert max(lead for _, lead, _ in features.values()) < 0.2
    similar = faces.vectors @ faces.vectors.T
    across, *within = (
        np.mean([similar[i, j] for i in rows(faces, a) for j in rows(faces, b) if i != j])
        for a, b in (halves, (halves[0],) * 2, (halves[1],) * 2)
    )
    assert relation == pytest.approx(float(across / np.sqrt(within[0] * within[1])), abs=1e-5)
    assert 0.8 < relation < 1.2
    assert max(other for *_, other in features.values()) < 0.6


def test_few_pairs_of_faces_say_nothing() -> None:
    vectors, names = people([8] * 6)
    names[:2] = "half"
    names[4:8] = "rest"  # 2 x 4 pairs
    faces = AuditFaces.of(vectors[[0, 1, *range(4, 48)]], names[[0, 1, *range(4, 48)]])
    assert [0, len(faces.names) - 1] not in score_splits(faces).pairs.tolist()


def test_a_wrong_face_does_not_hide_a_half() -> None:
    vectors, names = people([8] * 12)
    names[:4] = "half"
    names[8] = "half"
    splits = score_splits(AuditFaces.of(vectors, names))
    best = splits.features[:, 1].argmax()
    assert splits.pairs[best].tolist() == [0, 1]
    assert splits.features[best, 0] > 0.8


def test_single_faces_have_no_partners() -> None:
    assert score_splits(AuditFaces.of(*people([1, 1, 5]))).pairs.shape == (0, 2)

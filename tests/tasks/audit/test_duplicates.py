from typing import Any

import numpy as np

from facenet.audit.faces import AuditFaces
from tasks.audit.duplicates import duplicates
from tasks.audit.templates import read_templates


def found(space: Any, faces: Any) -> list[Any]:
    rows = np.flatnonzero(~faces.fallback)
    templates = read_templates("pretrained", faces.photos[rows], space.params, space.files, tick=print)
    audited = AuditFaces.of(templates.vectors, faces.identities[rows])
    done: list[int] = []
    suspects = duplicates(faces, audited, rows, space.files.aligned, similarity=0.8, tick=done.append)
    assert sum(done) == len(rows)
    return suspects


def test_the_copy_that_fits_less_is_suspected(space: Any) -> None:
    copy, *conflicts = found(space, space.faces)
    assert (copy.digest, copy.other_digest) == (space.planted["copy"], space.planted["copied"])
    assert (copy.identity, copy.other_identity, copy.action) == ("s6", "s8", "drop")
    assert copy.probability > 0.99
    assert copy.score > 0.95
    assert [(s.identity, s.probability) for s in conflicts[-2:]] == [("s7", 0.5), ("s9", 0.5)]


def test_a_copy_on_the_other_side_under_the_same_name(space: Any) -> None:
    faces = space.faces
    faces.identities[faces.identities == "s6"] = "s8"
    faces.roles[faces.photos == space.planted["copied"]] = "evaluate"
    copy = found(space, faces)[0]
    assert (copy.digest, copy.probability) == (space.planted["copy"], 1.0)
    assert "under one name and on both sides of the evaluation" in copy.reason

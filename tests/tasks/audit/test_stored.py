from typing import Any

import numpy as np


def test_the_stored_faces_have_their_paths(space: Any) -> None:
    faces = space.faces
    assert len(faces.photos) == sum(faces.counts.values()) == 85
    face = int(np.flatnonzero(faces.photos == space.planted["copy"])[0])
    assert faces.path(face) == f"s6/{space.planted['copy'][:8]}.pgm"
    assert faces.photos[faces.fallback].tolist() == [space.planted["faceless"]]
    assert faces.conflicts == {"c" * 64: [("s7", "s7/twice.jpg"), ("s9", "s9/twice.jpg")]}

from typing import Any

import pytest

from tasks.audit.quality import unusable


def test_the_dark_face_and_the_one_that_is_none(space: Any) -> None:
    found = {s.digest: s for s in unusable(space.faces, space.files.aligned, space.files.cache)}
    assert found.keys() == {space.planted["dark"], space.planted["faceless"]}
    dark = found[space.planted["dark"]]
    assert dark.probability == pytest.approx(1 - dark.score / 40 / 2)
    assert dark.reason == f"The face is dark: its mean brightness is {dark.score:.0f} of 255, less than 40."
    assert found[space.planted["faceless"]].reason.startswith("No face was found")
    assert {s.action for s in found.values()} == {"drop"}

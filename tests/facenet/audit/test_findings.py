import dataclasses

import pytest

from facenet.audit.findings import Findings, SplitPerson


def test_findings_are_frozen() -> None:
    found = Findings((), (SplitPerson("a", "b", 0.9, 0.8),), ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.splits[0].probability = 1.0  # type: ignore[misc]

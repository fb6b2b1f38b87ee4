from pathlib import Path

import pytest

from operations.errors import ServicesFailed
from operations.manifest import Manifest


def test_it_round_trips_and_other_files_are_refused(tmp_path: Path) -> None:
    made = Manifest(
        workspace="/w",
        services="/w/.services",
        commit="",
        made="2026-11-30T00:00:00+00:00",
        versions={"dvc": "3"},
    )
    made.write(tmp_path)
    assert Manifest.read(tmp_path) == made
    path = tmp_path / "manifest.json"
    for text, reason in (
        ("{", "is not a valid manifest"),
        ("[]", "is not a valid manifest"),
        ('{"format": 1}', "is not a valid manifest"),
        ('{"format": 2}', "unsupported format 2, expected 1"),
    ):
        path.write_text(text)
        with pytest.raises(ServicesFailed, match=reason):
            Manifest.read(tmp_path)

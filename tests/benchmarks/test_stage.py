"""Without LFW the benchmarks measure on the AT&T/ORL faces."""

from pathlib import Path

import pytest

from benchmarks import stage
from facenet.errors import DownloadFailed


def test_without_lfw_the_photos_are_those_of_orl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> Path:
        raise DownloadFailed(name)

    monkeypatch.setattr(stage, "locate", nowhere)
    name, paths = stage.write_photos(tmp_path)
    assert (name, len(paths)) == ("ORL", 400)
    assert paths[0].read_bytes().startswith(b"P5")

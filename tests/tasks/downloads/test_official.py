from pathlib import Path

import pytest

from facenet.digests import file_digest
from tasks.downloads.official import OFFICIAL


def test_every_public_file_has_a_url() -> None:
    for name, official in OFFICIAL.items():
        assert official.urls, name
        assert all(url.startswith(("http://", "https://")) for url in official.urls), name


@pytest.mark.shared
def test_the_digests_match_the_real_files(shared: Path) -> None:
    here = [path for path in sorted((shared / "data" / "lfw").glob("*.txt")) if path.name in OFFICIAL]
    assert len(here) == 6
    for path in here:
        assert OFFICIAL[path.name].sha256 == file_digest(path), path.name
